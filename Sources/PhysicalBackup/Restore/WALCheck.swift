import ByteStream
import ObjectStore
import Postgres

/// Reads the WAL that a recovery will need, and says which moment is the last one that can be
/// reached when a part of it is damaged.
struct WALCheck {
  private let catalog: PhysicalCatalog
  private let jobs: Int

  init(_ catalog: PhysicalCatalog, jobs: Int) {
    self.catalog = catalog
    self.jobs = jobs
  }

  private struct Found {
    var damaged: [WALSegment: any Error] = [:]
  }

  func run(_ plan: RecoveryPlan, cancellation: Cancellation) throws {
    guard let archive = catalog.archive, let wal = catalog.wal else { return }
    let queue = BoundedChannel<WALSegment>(capacity: max(1, plan.segments.count))
    for segment in plan.segments { try queue.send(segment) }
    queue.finish()
    let found = Monitor(Found())
    let group = ThreadGroup(following: cancellation) { queue.fail($0) }
    for number in 1...jobs {
      group.start("wal-check-\(number)") {
        while let segment = try queue.receive() {
          do {
            if wal.isWhole(segment) {
              try archive.readSegment(segment, cancellation: group.cancellation) { _ in }
            } else {
              try archive.readChain(
                wal.chain(segment), cancellation: group.cancellation
              ) { _ in }
            }
          } catch let error as PhysicalBackupError where error.code == .damaged {
            found.update { $0.damaged[segment] = error }
          } catch let error as ObjectStoreError
            where error.code == .notFound || error.code == .truncated || error.code == .damaged
          {
            found.update { $0.damaged[segment] = error }
          }
        }
      }
    }
    try group.join()
    let first = found.update { $0.damaged.min { $0.key.number < $1.key.number } }
    guard let (segment, error) = first else { return }
    throw damaged(plan, segment, error)
  }

  private func damaged(
    _ plan: RecoveryPlan, _ segment: WALSegment, _ error: any Error
  ) -> PhysicalBackupError {
    var message =
      "the WAL segment \(segment) in \(catalog.store.description), which the recovery to "
      + "\(plan.target) needs, is damaged"
    if segment.start > plan.base.endPosition, let history = catalog.histories[plan.timeline] {
      let path = RecoveryPath(
        catalog.knowingTime(at: segment.start, along: history), history)
      let time = path.time(coveredUpTo: segment.start).map { ", \(RecoveryTime.text($0))" } ?? ""
      message +=
        "; the last position that can be reached from base \(plan.base.id) is "
        + "\(segment.start)\(time): restore with --lsn \(segment.start) to go there"
    } else {
      message += "; base \(plan.base.id) cannot be made consistent without it"
    }
    return PhysicalBackupError(.damaged, message, cause: error)
  }
}
