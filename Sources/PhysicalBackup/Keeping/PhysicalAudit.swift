public import ByteStream
import Crypto
import ObjectStore
import Postgres

/// Reads a cluster's base backups and WAL back, and says whether everything that the archive
/// seems to cover can really be restored.
public struct PhysicalAudit: Sendable {
  public struct Report: Sendable {
    public var systemIdentifier: String
    public var bases = 0
    /// Whole segments and segments in pieces.
    public var segments = 0
    /// Bytes of stored base backups, and of WAL.
    public var bytes = 0
    public var ranges: [RecoveryRange] = []
    public var gaps: [WALGap] = []
    /// What is wrong, a sentence each; none when all is sound.
    public var findings: [String] = []

    public var passed: Bool { findings.isEmpty }
  }

  private struct State {
    var bytes = 0
    var findings: [String] = []
  }

  private enum Work: Sendable {
    case object(BaseManifest.Object, base: String)
    case segment(WALSegment)
  }

  private let catalog: PhysicalCatalog
  private let jobs: Int

  /// - Parameter jobs: threads that read at once.
  public init(_ catalog: PhysicalCatalog, jobs: Int = 2) {
    self.catalog = catalog
    self.jobs = jobs
  }

  /// Blocks until everything was read.
  ///
  /// - Parameter onBytes: told of bytes as they are read, from any thread.
  /// - Throws: what keeps it from reading, such as a store that cannot be reached; damage is in
  ///   the report.
  public func run(
    cancellation: Cancellation, onBytes: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws -> Report {
    var report = Report(systemIdentifier: catalog.layout.systemIdentifier)
    report.bases = catalog.bases.count
    report.ranges = catalog.coverage()
    report.gaps = catalog.gaps()
    report.findings = catalog.problems
    report.findings += report.gaps.map { "\($0)" }
    report.findings += timelines()
    report.findings += catalog.bases.compactMap { uncovered($0) }

    var work: [Work] = []
    for base in catalog.bases {
      for object in base.archives + [base.index, base.serverManifest, base.settings] {
        work.append(.object(object, base: "\(base.id)"))
      }
    }
    let segments = segments()
    report.segments = segments.count
    work += segments.map { .segment($0) }
    let state = try read(work, cancellation, onBytes)
    report.bytes = state.bytes
    report.findings += state.findings.sorted()
    return report
  }

  // MARK: What the listing shows

  /// A timeline has a history, and WAL from the position at which it left its ancestor.
  private func timelines() -> [String] {
    guard let wal = catalog.wal else { return [] }
    return wal.timelines.compactMap { timeline in
      guard let history = catalog.histories[timeline] else {
        return "timeline \(timeline) has WAL and no history file: nothing of it can be reached"
      }
      guard let start = history.steps.last?.start, start > .zero,
        let first = wal.ranges(timeline: timeline).first, first.start > start
      else { return nil }
      // Older WAL is gone where a base backup of that timeline is the oldest.
      let isNeeded = catalog.bases.contains { $0.startPosition < first.start }
      return isNeeded
        ? "timeline \(timeline) begins at \(start), and its stored WAL at \(first.start)" : nil
    }
  }

  private func uncovered(_ base: BaseManifest) -> String? {
    guard catalog.chain(of: base) != nil else {
      return "base \(base.id) cannot be restored: it holds the changes since a base backup that is "
        + "not there (\(base.parent.map { "\($0)" } ?? "?"), or what that is made from)"
    }
    guard let history = catalog.histories[base.timeline] else {
      return "base \(base.id) is of timeline \(base.timeline), which has no history file"
    }
    guard RecoveryPath(catalog, history).covered(from: base) == nil else { return nil }
    return "base \(base.id) cannot be restored: its WAL from \(base.start) to \(base.end) is not "
      + "all stored"
  }

  private func segments() -> [WALSegment] {
    guard let wal = catalog.wal else { return [] }
    var segments: Set<WALSegment> = Set(wal.pieces.keys)
    for (timeline, numbers) in wal.segments {
      for number in numbers {
        segments.insert(WALSegment(timeline: timeline, number: number, size: wal.segmentSize))
      }
    }
    return segments.sorted { ($0.timeline, $0.number) < ($1.timeline, $1.number) }
  }

  // MARK: Reading

  private func read(
    _ work: [Work], _ cancellation: Cancellation, _ onBytes: @escaping @Sendable (Int) -> Void
  ) throws -> State {
    let queue = BoundedChannel<Work>(capacity: max(1, work.count))
    for one in work { try queue.send(one) }
    queue.finish()
    let state = Monitor(State())
    let group = ThreadGroup(following: cancellation) { queue.fail($0) }
    for number in 1...max(1, jobs) {
      group.start("audit-\(number)") {
        while let one = try queue.receive() {
          try group.cancellation.check()
          let finding: String?
          switch one {
          case .object(let object, let base):
            finding = try check(object, base, group.cancellation) { count in
              state.update { $0.bytes += count }
              onBytes(count)
            }
          case .segment(let segment):
            finding = try check(segment, group.cancellation) { count in
              state.update { $0.bytes += count }
              onBytes(count)
            }
          }
          if let finding { state.update { $0.findings.append(finding) } }
        }
      }
    }
    try group.join()
    return state.update { $0 }
  }

  private func check(
    _ object: BaseManifest.Object, _ base: String, _ cancellation: Cancellation,
    _ onBytes: (Int) -> Void
  ) throws -> String? {
    do {
      let digest = try Digest(.sha256)
      var size = 0
      try catalog.store.read(object.key, range: nil, cancellation: cancellation) { bytes in
        try digest.update(bytes)
        size += bytes.count
        onBytes(bytes.count)
      }
      if size != object.size {
        return "base \(base): \(object.key) has \(size) bytes, its manifest says \(object.size)"
      }
      return Hex.encode(try digest.finish()) == object.sha256
        ? nil : "base \(base): \(object.key) is not what was stored: its SHA-256 is wrong"
    } catch let error as PhysicalBackupError where error.code == .damaged {
      return "base \(base): \(error)"
    } catch let error as ObjectStoreError where Self.isDamage(error) {
      return "base \(base): \(error)"
    }
  }

  private func check(
    _ segment: WALSegment, _ cancellation: Cancellation, _ onBytes: (Int) -> Void
  ) throws -> String? {
    guard let archive = catalog.archive else { return nil }
    do {
      // The first page's header says where in the log it stands (xlog_internal.h).
      var head: [UInt8] = []
      let count = try archive.readStored(segment, cancellation: cancellation) { bytes in
        if head.count < 16 { head.append(contentsOf: bytes.prefix(16 - head.count)) }
        onBytes(bytes.count)
      }
      guard count >= 16 else { return nil }
      let address = head[8..<16].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return head[1] == 0xD1 && address == segment.start.rawValue
        ? nil : "the segment \(segment) holds something else than its name says"
    } catch let error as PhysicalBackupError where error.code == .damaged {
      return "\(error)"
    } catch let error as ObjectStoreError where Self.isDamage(error) {
      return "the segment \(segment): \(error)"
    }
  }

  private static func isDamage(_ error: ObjectStoreError) -> Bool {
    [.notFound, .truncated, .damaged].contains(error.code)
  }
}
