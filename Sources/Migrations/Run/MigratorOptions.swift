/// How migrations are run.
public struct MigratorOptions: Sendable {
  /// How long to wait for another run that holds the migration lock.
  public var lockWait: Duration = .seconds(600)
  /// How long one statement may wait for a table's lock, before all is undone and tried again: a
  /// statement that waits for a strong lock makes everybody wait who comes after it.
  public var lockTimeout: Duration = .seconds(5)
  /// For how long a migration is tried again when a lock is not to be had.
  public var lockRetry: Duration = .seconds(600)
  /// How many sessions may wait behind a waiting statement before it gives way to them.
  public var giveWayTo = 3
  /// How long statements with CONCURRENTLY may wait for other transactions, such as a backup's.
  /// They make nobody wait.
  public var waitForBackup: Duration = .seconds(2 * 3600)
  /// What to do about a file that is older than what is applied.
  public var outOfOrder: OutOfOrder = .refuse
  /// `search_path` for the migrations; nil leaves the role's own.
  public var searchPath: [String]?
  /// Whether an up first copies the tables and columns that it drops into the history's schema, so
  /// that its down can put them back.
  public var keepsDropped = false
  /// The most bytes that one table or set of columns may have to be kept.
  public var keepLimit = 1 << 30
  /// Asked before an up drops a table or columns that are not kept: why that must not be, since no
  /// backup is fresh enough, as a clause and a full stop; nil when it may.
  public var backupRefusal: (@Sendable () throws -> String?)?
  /// Whether the schema is read before and after migrations, and what they changed is kept with
  /// the history, so that ``Migrator/drift()`` can tell what was changed by hand. Not done for
  /// tenants' schemas.
  public var recordsSchema = true
  /// The tenant's schema whose history is meant; "" for the whole database.
  public var scope = ""
  /// Kept with each row of the history.
  public var toolVersion: String
  /// Values for `${NAME}` in files that ask for it with the `env` directive; nil when not set.
  public var variable: @Sendable (String) -> String? = { _ in nil }

  public init(toolVersion: String) { self.toolVersion = toolVersion }

  /// What to do about a file that is older than what is applied.
  public enum OutOfOrder: String, CaseIterable, Sendable {
    case allow, warn, refuse
  }
}
