import ByteStream
import Postgres

/// Finds out whether the catalogs are still as a snapshot has them, while the caller does other
/// work.
///
/// When no transaction that writes has begun or ended since the snapshot was taken, nothing can
/// have changed. Else the catalogs are read twice, both at once.
struct CatalogComparison {
  private let fingerprints: Monitor<(before: CatalogFingerprint?, now: CatalogFingerprint?)>
  /// nil where nothing can have changed.
  private let group: ThreadGroup?

  /// Begins the comparison.
  ///
  /// - Parameters:
  ///   - lead: a connection in a transaction with the snapshot.
  ///   - seen: what the snapshot sees.
  ///   - present: another connection, with no transaction open. Nobody else uses the two until
  ///     ``isUnchanged()`` has returned.
  init(
    _ lead: Connection, _ seen: CatalogView, _ present: Connection, cancellation: Cancellation
  ) throws {
    fingerprints = Monitor((nil, nil))
    guard try !CatalogView.read(present).isSurelySame(as: seen) else {
      group = nil
      return
    }
    let group = ThreadGroup(following: cancellation)
    let fingerprints = fingerprints
    // Each is its thread's alone, and given back when both have ended.
    nonisolated(unsafe) let (lead, present) = (lead, present)
    group.start("fingerprint") {
      let before = try CatalogFingerprint.read(lead)
      fingerprints.update { $0.before = before }
    }
    group.start("fingerprint") {
      let now = try CatalogFingerprint.read(present)
      fingerprints.update { $0.now = now }
    }
    self.group = group
  }

  /// Waits for the outcome.
  func isUnchanged() throws -> Bool {
    guard let group else { return true }
    try group.join()
    return fingerprints.update { $0.before != nil && $0.before == $0.now }
  }
}

/// Which transactions a session sees the effects of.
struct CatalogView: Sendable {
  private var snapshot: SQLText?
  /// A standby's snapshots do not name the transactions that are open on the primary.
  private var isStandby: Bool

  /// What the connection's transaction sees; without one, the present.
  static func read(_ connection: Connection) throws -> CatalogView {
    let result = try connection.query(
      "SELECT pg_catalog.pg_current_snapshot(), pg_catalog.pg_is_in_recovery()")
    return CatalogView(snapshot: result[0, 0], isStandby: result.bool(0, 1))
  }

  /// Whether it is certain that both see the same rows.
  func isSurelySame(as other: CatalogView) -> Bool {
    !isStandby && !other.isStandby && snapshot != nil && snapshot == other.snapshot
  }
}
