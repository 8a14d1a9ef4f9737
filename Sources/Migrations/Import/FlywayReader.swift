import Postgres

/// Flyway: `V<version>__<name>.sql`, `U<version>__<name>.sql` to undo it, `R__<name>.sql`
/// repeatable. Versions have parts with dots or underscores between them: `1.2_3`.
struct FlywayReader: ForeignReader {
  func read(_ file: ForeignFile, into files: inout ForeignFiles) throws(MigrationsError) {
    if file.name.hasSuffix(".java") {
      throw ForeignScript.problem(
        file.path, nil, "a migration in Java cannot be converted; write its SQL by hand")
    }
    guard file.name.hasSuffix(".sql"), let mark = file.name.firstRange(of: "__"),
      let kind = file.name.first
    else { return }
    let name = NewMigration.fileName(String(file.name[mark.upperBound...].dropLast(4)))
    let script = try ForeignScript(file.bytes, source: file.path)
    if file.bytes.contains(Array("${".utf8)) {
      throw ForeignScript.problem(
        file.path, nil, "it has placeholders, ${…}; write their values, or -- pgkeep: env NAME")
    }
    if kind == "R", file.name.hasPrefix("R__") {
      files.repeatables.append((name, script.text))
      return
    }
    let id = Self.normalized(
      String(file.name[file.name.index(after: file.name.startIndex)..<mark.lowerBound]))
    guard let version = Self.version(id) ?? Self.version(id, isPlain: true) else {
      throw ForeignScript.problem(file.path, nil, "its version \(id) does not fit in 19 digits")
    }
    switch kind {
    case "V": files.add(id: id, version, name, script, nil)
    case "U": files.addDown(id: id, script)
    default:
      throw ForeignScript.problem(file.path, nil, "the name begins with none of V, U and R__")
    }
  }

  /// As the history table has it: dots between the parts.
  static func normalized(_ version: String) -> String {
    String(version.map { $0 == "_" ? "." : $0 })
  }

  /// One number that orders as the parts do: each part behind the first takes four digits, of
  /// four parts at most.
  ///
  /// - Parameter isPlain: whether no version of the project has parts; they stay what they are.
  static func version(_ id: String, isPlain: Bool = false) -> MigrationVersion? {
    let parts = id.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count == 1, isPlain { return MigrationVersion(id) }
    guard parts.count <= 4, parts.dropFirst().allSatisfy({ $0.count <= 4 }) else { return nil }
    var digits = String(parts[0])
    for index in 1..<4 {
      let part = index < parts.count ? String(parts[index]) : "0"
      digits += String(repeating: "0", count: 4 - part.count) + part
    }
    return MigrationVersion(digits)
  }

  /// Gives all versions the same form, once all are known.
  static func number(_ files: inout ForeignFiles) {
    let isPlain = !files.migrations.contains { $0.id.contains(".") }
    for index in files.migrations.indices {
      let id = files.migrations[index].id
      if let version = version(id, isPlain: isPlain) {
        files.migrations[index].version = version
      } else {
        files.problems.append(
          MigrationProblem(file: id, message: "this version does not fit in 19 digits"))
      }
    }
    files.migrations.sort { $0.version < $1.version }
  }
}
