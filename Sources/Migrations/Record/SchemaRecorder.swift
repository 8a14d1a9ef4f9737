import ByteStream
import Postgres
import Schema

/// Keeps what migrations change in the schema, while a run takes them.
///
/// The schema is read after a migration's COMMIT, over a connection of its own, so that no table
/// stays locked for it. In a long run (a database that is set up from nothing) it is read before
/// the first and after the last migration only.
final class SchemaRecorder {
  /// Up to so many migrations each gets a record of its own.
  static let longRun = 10

  private let session: MigrationSession
  private let reader: Connection
  private let isLong: Bool
  private var before: SchemaState
  /// Rows of the history that no record speaks of yet.
  private var open: (first: Int, last: Int)?
  private var hasFailed = false

  /// Reads the schema, and warns when it is not what the last migration left.
  ///
  /// - Returns: nil where the schema is not kept, or cannot be read; that is warned of.
  init?(_ session: MigrationSession, steps: Int) {
    guard session.options.recordsSchema, session.options.scope.isEmpty, steps > 0 else {
      return nil
    }
    self.session = session
    isLong = steps > Self.longRun
    do {
      reader = try DatabaseSchema.connect(
        session.lock.connection.target, cancellation: session.cancellation)
      before = SchemaState(
        try DatabaseSchema.catalog(reader, cancellation: session.cancellation))
      let drift = try SchemaDrift(session.history, before)
      if let words = drift.warning { session.emit(.warning(words)) }
    } catch {
      Self.warn(error, session)
      return nil
    }
  }

  /// Says that a migration is done.
  func note(_ finished: FinishedStep) {
    open = (open?.first ?? finished.historyID, finished.historyID)
    if !isLong { record() }
  }

  /// Keeps what is not kept yet. Also after a failure: what was done before it stays.
  func close() { record() }

  private func record() {
    guard let rows = open, !hasFailed, session.cancellation.reason == nil else { return }
    do {
      let after = SchemaState(
        try DatabaseSchema.catalog(reader, cancellation: session.cancellation))
      try SchemaRecords(connection: session.lock.connection).add(
        first: rows.first, last: rows.last, from: before, to: after)
      before = after
      open = nil
    } catch {
      // The migration is done, whatever becomes of the record.
      hasFailed = true
      Self.warn(error, session)
    }
  }

  private static func warn(_ error: any Error, _ session: MigrationSession) {
    session.emit(.warning("What the migrations change in the schema is not recorded: \(error)"))
  }
}
