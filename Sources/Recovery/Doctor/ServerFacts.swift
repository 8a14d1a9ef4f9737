import ObjectStore
import Postgres

/// What the checks of the backups need to know of the server.
struct ServerFacts {
  /// The database that the session is in.
  var database: String
  /// Whether base backups and WAL can be had, so that the recovery point is seconds.
  var allowsPhysical = false
  /// Nil where the role may not read it.
  var systemIdentifier: String?
  /// Where the server's log is.
  var walPosition: LSN?
  /// Who holds the migration lock now, in words.
  var migrationRunning: String?
  /// When migrations ended in the last 90 days, and how long they took.
  var migrations: [(version: String, ended: UTCTime, milliseconds: Int)] = []
}
