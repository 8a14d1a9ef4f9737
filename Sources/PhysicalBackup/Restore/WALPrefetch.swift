public import ByteStream
import Glibc
import Gzip
public import ObjectStore
import Postgres

/// Fetches the segments that recovery is going to ask for, several at once, while it replays.
public struct WALPrefetch: Sendable {
  /// Segments that are fetched at once.
  static let jobs = 4

  private let archive: WALArchive
  private let spool: WALSpool

  /// - Returns: nil when the store has no WAL.
  public init?(
    _ store: any ObjectStore, environment: String, systemIdentifier: String, into spool: WALSpool
  ) throws {
    let layout = ClusterLayout(environment: environment, systemIdentifier: systemIdentifier)
    guard let archive = try WALArchive(store, layout) else { return nil }
    self.init(archive, into: spool)
  }

  init(_ archive: WALArchive, into spool: WALSpool) {
    self.archive = archive
    self.spool = spool
  }

  private struct State {
    /// Segments that are being fetched, or that were.
    var taken: Set<String> = []
    /// The first segment that is not there, and before which it ends.
    var end = UInt64.max
  }

  /// Fetches what comes after the segment that was asked for last, until as much is there as is
  /// kept, the archive ends, something fails, or the spool is gone. Does nothing while another
  /// process fetches.
  ///
  /// - Parameter onSegment: called before each, on any thread.
  /// - Throws: what the store throws, or damage. Who asks for the segment finds out by itself.
  public func run(
    cancellation: Cancellation, onSegment: @escaping @Sendable () -> Void = {}
  ) throws {
    guard let lock = spool.lock() else { return }
    defer { close(lock) }
    spool.removeParts()
    spool.keep(only: Set(window.map(\.name)))
    let state = Monitor(State())
    let group = ThreadGroup(following: cancellation)
    for number in 1...Self.jobs {
      group.start("wal-prefetch-\(number)") {
        while !group.cancellation.isCancelled, let segment = next(state) {
          onSegment()
          let isThere = try fetch(segment, group.cancellation)
          if !isThere { state.update { $0.end = min($0.end, segment.number) } }
        }
      }
    }
    try group.join()
  }

  /// What should be in the spool.
  private var window: [WALSegment] {
    guard let name = spool.position,
      var segment = WALSegment(name: name, size: archive.segmentSize)
    else { return [] }
    return (0..<WALSpool.depth(segmentSize: archive.segmentSize)).map { _ in
      segment = segment.next
      return segment
    }
  }

  private func next(_ state: Monitor<State>) -> WALSegment? {
    let window = window
    return state.update { state in
      let present = spool.segments
      // What was asked for a moment before it was here.
      if present.count > window.count { spool.keep(only: Set(window.map(\.name))) }
      let next = window.first { segment in
        segment.number < state.end && !state.taken.contains(segment.name)
          && !present.contains(segment.name)
      }
      if let next { state.taken.insert(next.name) }
      return next
    }
  }

  /// - Returns: false when there is no such whole segment, or nowhere to put it.
  private func fetch(_ segment: WALSegment, _ cancellation: Cancellation) throws -> Bool {
    let part = spool.path + "/" + segment.name + WALSpool.partSuffix
    let file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    var checksum: UInt32 = 0
    var offset = 0
    do {
      defer { close(file) }
      try archive.readSegment(segment, cancellation: cancellation) { bytes in
        try LocalFiles.write(file, bytes, at: offset, part)
        checksum = CRC32.update(checksum, bytes)
        offset += bytes.count
      }
    } catch {
      unlink(part)
      if let error = error as? ObjectStoreError, error.code == .notFound { return false }
      throw error
    }
    let entry = WALSpool.Entry(segment: segment.name, checksum: checksum)
    guard rename(part, spool.path + "/" + entry.fileName) == 0 else {
      unlink(part)
      return false
    }
    return true
  }
}
