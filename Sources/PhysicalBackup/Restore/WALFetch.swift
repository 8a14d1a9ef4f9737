public import ByteStream
import Glibc
public import ObjectStore
import Postgres

/// Gives PostgreSQL one file of the archive: what `restore_command` runs.
///
/// PostgreSQL takes a failure with an exit code up to 125 for "there is no such file", and may
/// then end recovery; so only that may end in such a code, and everything else is 126.
public struct WALFetch: Sendable {
  public enum Outcome: Hashable, Sendable {
    /// The file is in its place. `isWhole` is false for a segment that was put together from
    /// pieces and filled up with zeros.
    case fetched(isWhole: Bool)
    /// The archive has no such file: exit 1.
    case notThere
  }

  private let archive: WALArchive?

  /// - Parameter hasArchive: whether there was WAL in the store when the cluster was restored. If
  ///   so, an archive that is not there now is a store that is not as it was, such as a file system
  ///   that is not mounted, and no reason to end recovery.
  /// - Throws: what the store throws when it cannot be reached.
  public init(
    _ store: any ObjectStore, environment: String, systemIdentifier: String, hasArchive: Bool
  ) throws {
    let layout = ClusterLayout(environment: environment, systemIdentifier: systemIdentifier)
    archive = try WALArchive(store, layout)
    guard archive != nil || !hasArchive else {
      throw PhysicalBackupError(
        .nothingToRestore,
        "the WAL archive of cluster \(systemIdentifier) is no longer in "
          + "\(store.description)")
    }
  }

  init(_ archive: WALArchive) { self.archive = archive }

  /// Puts the file of that name at `path`, whole or not at all.
  ///
  /// - Throws: what PostgreSQL must not take for the archive's end: an unreachable store, a
  ///   damaged segment, a full disk.
  public func fetch(_ name: String, to path: String, cancellation: Cancellation) throws -> Outcome {
    guard let archive else { return .notThere }
    if let timeline = TimelineHistory.timeline(ofFile: name) {
      do {
        let bytes = try archive.store.readAll(
          archive.layout.historyKey(timeline: timeline), limit: 1 << 22,
          cancellation: cancellation)
        try LocalFiles().write(path, bytes)
        return .fetched(isWhole: true)
      } catch let error as ObjectStoreError where error.code == .notFound {
        return .notThere
      }
    }
    guard let segment = WALSegment(name: name, size: archive.segmentSize) else { return .notThere }
    do {
      try write(path) { file in
        try archive.readSegment(segment, cancellation: cancellation, file)
      }
      return .fetched(isWhole: true)
    } catch let error as ObjectStoreError where error.code == .notFound {
      return try fetchPieces(archive, segment, path, cancellation)
    }
  }

  /// A segment that was not whole when the receiver last stored something of it.
  private func fetchPieces(
    _ archive: WALArchive, _ segment: WALSegment, _ path: String, _ cancellation: Cancellation
  ) throws -> Outcome {
    var listing = WALListing(segmentSize: archive.segmentSize)
    let prefix = archive.layout.walPrefix(timeline: segment.timeline) + segment.name
    try archive.store.list(prefix: prefix) { listing.add($0, layout: archive.layout) }
    listing.finish()
    // The receiver may have made it whole in between, and deleted the pieces.
    if listing.isWhole(segment) {
      try write(path) { try archive.readSegment(segment, cancellation: cancellation, $0) }
      return .fetched(isWhole: true)
    }
    let chain = listing.chain(segment)
    guard let last = chain.last else { return .notThere }
    try write(path) { file in
      try archive.readChain(chain, cancellation: cancellation, file)
      let zeros = [UInt8](repeating: 0, count: 1 << 16)
      var missing = segment.size - last.range.upperBound
      while missing > 0 {
        let count = min(missing, zeros.count)
        try zeros.withUnsafeBytes { try file(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        missing -= count
      }
    }
    return .fetched(isWhole: false)
  }

  /// Writes a file under a temporary name and renames it. Not made durable: PostgreSQL asks again
  /// after a crash.
  private func write(
    _ path: String, _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let temporary = path + ".pgkeep-new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw LocalFiles.failure("write", temporary) }
    var offset = 0
    do {
      defer { close(file) }
      try body { bytes in
        try LocalFiles.write(file, bytes, at: offset, temporary)
        offset += bytes.count
      }
    } catch {
      unlink(temporary)
      throw error
    }
    try LocalFiles.rename(temporary, path)
  }
}
