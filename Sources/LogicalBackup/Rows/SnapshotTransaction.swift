import Postgres

/// Transactions that see the same moment of a database.
enum SnapshotTransaction {
  /// Begins one whose first query will fix the moment.
  static let begin: SQLText = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

  /// Begins one on another connection that sees what the exporting transaction sees.
  ///
  /// - Parameter snapshot: what `pg_export_snapshot()` gave.
  static func join(_ connection: Connection, snapshot: SQLText) throws {
    try connection.run(begin)
    try connection.run("SET TRANSACTION SNAPSHOT \(snapshot.quotedLiteral)")
  }

  /// Fixes the moment, and lets other connections join.
  static func export(_ connection: Connection) throws -> SQLText {
    let result = try connection.query("SELECT pg_catalog.pg_export_snapshot()")
    guard let snapshot = result[0, 0] else {
      throw LogicalBackupError(.server, "The server exported no snapshot.")
    }
    return snapshot
  }
}
