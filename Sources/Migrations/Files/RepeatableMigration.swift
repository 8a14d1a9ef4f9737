/// A file that is run again whenever its text changes, after the versioned ones: for views and
/// functions, which are replaced as a whole. Named `R__<name>.sql`.
public struct RepeatableMigration: Hashable, Sendable {
  public let name: String
  public let script: MigrationScript

  /// Names of the repeatable files that have to run before this one.
  var prerequisites: [String] {
    script.directives.flatMap { directive -> [String] in
      if case .after(let names) = directive { names } else { [] }
    }
  }
}
