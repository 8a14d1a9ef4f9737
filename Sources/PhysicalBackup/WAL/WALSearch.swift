import ByteStream
import Postgres

/// Finds where a transaction ended, by reading the stored WAL: from the newest base backup on, then
/// from the one before it, and so on.
struct WALSearch {
  private let catalog: PhysicalCatalog
  private let path: RecoveryPath

  init(_ catalog: PhysicalCatalog, _ path: RecoveryPath) {
    self.catalog = catalog
    self.path = path
  }

  /// - Returns: where the record of its commit or rollback begins; nil when it is in no WAL that
  ///   recovery can reach.
  func end(ofTransaction xid: UInt32) throws -> LSN? {
    guard let archive = catalog.archive else { return nil }
    var limit = LSN(rawValue: .max)
    for base in path.bases.reversed() {
      guard let covered = path.covered(from: base) else { continue }
      let end = min(covered, limit)
      limit = base.endPosition
      var found: LSN?
      var scanner: WALRecordScanner?
      for segment in path.segments(from: base, to: end) {
        // A record may go on over a segment's end.
        var own =
          scanner.flatMap { $0.position == segment.start ? $0 : nil }
          ?? WALRecordScanner(at: segment.start)
        _ = try archive.readStored(segment, cancellation: Cancellation()) { bytes in
          own.take(bytes) { finding in
            if case .transactionEnd(_, let id, let position) = finding, id == xid,
              position >= base.endPosition, position < end
            {
              found = position
            }
          }
        }
        scanner = own
        if found != nil { return found }
      }
    }
    return nil
  }
}
