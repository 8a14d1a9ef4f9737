import ByteStream
import Postgres

/// Looks at the slot now and then, on a connection of its own, and warns before it is lost.
final class SlotWatch: Sendable {
  private static let interval: Duration = .seconds(30)
  /// Bytes of WAL that may still come before the server gives the slot up.
  private static let littleRoom = 256 << 20

  private let target: ConnectionTarget
  private let slot: String
  private let onEvent: @Sendable (WALReceiver.Event) -> Void
  private let stopping = Cancellation()

  init(
    _ target: ConnectionTarget, slot: String,
    onEvent: @escaping @Sendable (WALReceiver.Event) -> Void
  ) {
    self.target = target
    self.slot = slot
    self.onEvent = onEvent
  }

  func start(following cancellation: Cancellation) {
    let stopping = stopping
    cancellation.onCancel { stopping.cancel(reason: "the receiver stops") }
    JobThread.start("wal-slot-watch") {
      while !stopping.isCancelled {
        // A failed look is no news: the stream itself says when the server is gone.
        try? self.look()
        let end = ContinuousClock.now + Self.interval
        while ContinuousClock.now < end, !stopping.isCancelled { Pause.milliseconds(200) }
      }
    }
  }

  func stop() { stopping.cancel(reason: "the receiver stops") }

  private func look() throws {
    let connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep slot watch"), cancellation: stopping)
    defer { connection.close() }
    let rows = try connection.query(
      """
      SELECT s.wal_status, s.safe_wal_size,
        pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(
          CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END, s.restart_lsn))
      FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1
      """, [SQLText(slot)])
    guard rows.rowCount == 1 else { return }
    let status = rows.string(0, 0)
    let kept = rows.string(0, 2)
    switch status {
    case "unreserved", "lost":
      onEvent(
        .warning(
          "the slot \(slot) is \(status): the server removes WAL that is not yet in the archive "
            + "(max_slot_wal_keep_size); it holds back \(kept)"))
    case "extended":
      onEvent(
        .warning(
          "the slot \(slot) holds back \(kept) of WAL on the server, more than max_wal_size"))
    default: break
    }
    if let safe = rows.int(0, 1), safe < Self.littleRoom {
      onEvent(
        .warning("the slot \(slot) is lost after \(safe >> 20) MiB more WAL on the server"))
    }
  }
}
