/// How migrations are run.
public struct MigratorOptions: Sendable {
  /// How long to wait for another run that holds the migration lock.
  public var lockWait: Duration = .seconds(600)
  /// What to do about a file that is older than what is applied.
  public var outOfOrder: OutOfOrder = .refuse
  /// `search_path` for the migrations; nil leaves the role's own.
  public var searchPath: [String]?
  /// The tenant's schema whose history is meant; "" for the whole database.
  public var scope = ""
  /// Kept with each row of the history.
  public var toolVersion: String
  /// Values for `${NAME}` in files that ask for it with the `env` directive.
  public var environment: [String: String] = [:]

  public init(toolVersion: String) { self.toolVersion = toolVersion }

  /// What to do about a file that is older than what is applied.
  public enum OutOfOrder: String, CaseIterable, Sendable {
    case allow, warn, refuse
  }
}
