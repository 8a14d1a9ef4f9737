public import Age
public import ByteStream
import Crypto
import Glibc
import Gzip
public import ObjectStore
import Postgres

/// Stores one file that PostgreSQL hands over by `archive_command`, for those who do not want a
/// receiver. The archive is the same; what is not yet a whole segment is not in it.
public struct WALPush: Sendable {
  public enum Outcome: String, Hashable, Sendable {
    case stored
    /// The same was stored before, as after a crash of the server.
    case wasThere = "was there"
    /// A file that recovery from this archive does not ask for.
    case notNeeded = "not needed"
  }

  private static let chunk = 4 << 20
  /// Where a segment's first page has the system identifier, and the segment's size behind it
  /// (`XLogLongPageHeaderData` in xlog_internal.h).
  private static let identifierOffset = 24
  private static let headerSize = 40

  private let store: any ObjectStore
  private let environment: String
  private let hidesText: Bool

  /// - Parameter recipients: whom WAL is encrypted to; nobody when empty.
  public init(_ store: any ObjectStore, environment: String, recipients: [AgeRecipient] = []) {
    self.store = recipients.isEmpty ? store : SealedStore(store, recipients: recipients)
    self.environment = environment
    hidesText = !recipients.isEmpty
  }

  /// Stores the file. It is durable when this returns.
  ///
  /// - Parameter path: as PostgreSQL gives it (`%p`): in `pg_wal` of the data directory.
  /// - Throws: ``PhysicalBackupError`` or `ObjectStoreError`; the server then keeps the file and
  ///   tries again.
  public func push(_ path: String, cancellation: Cancellation) throws -> Outcome {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    if let timeline = TimelineHistory.timeline(ofFile: name) {
      return try pushHistory(timeline, path)
    }
    // What marks a base backup's start, and the last segment of a timeline that was left, whose
    // beginning the next timeline's first segment repeats.
    if name.hasSuffix(".backup") || name.hasSuffix(".partial") { return .notNeeded }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw LocalFiles.failure("read", path) }
    defer { close(file) }
    return try pushSegment(name, path, file, cancellation)
  }

  private func pushHistory(_ timeline: UInt32, _ path: String) throws -> Outcome {
    let folders = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    let directory = folders.isEmpty ? "." : folders.joined(separator: "/")
    let control = try LocalFiles.read(directory + "/global/pg_control")
    guard control.count >= 8 else {
      throw PhysicalBackupError(.localPlace, "\(directory)/global/pg_control is too short")
    }
    let layout = ClusterLayout(
      environment: environment, systemIdentifier: "\(Self.number(control, 0, 8))")
    let key = layout.historyKey(timeline: timeline)
    let bytes = try LocalFiles.read(path)
    if try store.info(key) != nil {
      guard try store.readAll(key, limit: 1 << 22) == bytes else { throw contradiction(key, path) }
      return .wasThere
    }
    try store.put(key, bytes)
    return .stored
  }

  private func pushSegment(
    _ name: String, _ path: String, _ file: Int32, _ cancellation: Cancellation
  ) throws -> Outcome {
    var head = [UInt8](repeating: 0, count: Self.headerSize)
    let count = pread(file, &head, head.count, 0)
    let size = Int(Self.number(head, Self.identifierOffset + 8, 4))
    guard count == head.count, head[1] == 0xD1, let segment = WALSegment(name: name, size: size),
      Self.number(head, 8, 8) == segment.start.rawValue
    else {
      throw PhysicalBackupError(
        .localPlace, "\(path) is not the WAL segment that its name says")
    }
    let layout = ClusterLayout(
      environment: environment,
      systemIdentifier: "\(Self.number(head, Self.identifierOffset, 8))")
    let archive = try WALArchive.establish(
      store, layout, segmentSize: size, major: Self.unknownMajor)
    if try store.info(layout.segmentKey(segment)) != nil {
      let here = try digest(file, segment, path)
      let there = try Digest(.sha256)
      do {
        try archive.readSegment(segment, cancellation: cancellation) { try there.update($0) }
        guard try there.finish() == here else {
          throw contradiction(layout.segmentKey(segment), path)
        }
        return .wasThere
      } catch let error as PhysicalBackupError where error.code == .locked {
        // It cannot be read here: it is stored again.
      }
    }
    try store(segment, layout, file, path, cancellation)
    return .stored
  }

  /// Nobody goes by the version; a file alone does not say it.
  private static let unknownMajor = 0

  private func store(
    _ segment: WALSegment, _ layout: ClusterLayout, _ file: Int32, _ path: String,
    _ cancellation: Cancellation
  ) throws {
    let compressor = try MemberCompressor(.fast)
    let output = Block(capacity: Self.chunk + (64 << 10))
    var scanner = WALRecordScanner(at: segment.start)
    var points = WALPoints(segment)
    let sink = try store.writer(
      layout.segmentKey(segment),
      options: WriteOptions(
        expectedSize: segment.size, contentType: "application/gzip", cancellation: cancellation))
    do {
      try read(file, segment, path) { bytes in
        output.reset()
        try compressor.compress(bytes, into: output)
        try sink.write(output.bytes)
        scanner.take(bytes) { points.note($0, hidesText: hidesText) }
      }
      try sink.finish()
    } catch {
      sink.abort()
      throw error
    }
    try store.put(layout.pointsKey(segment), try points.encoded())
  }

  private func digest(_ file: Int32, _ segment: WALSegment, _ path: String) throws -> [UInt8] {
    let digest = try Digest(.sha256)
    try read(file, segment, path) { try digest.update($0) }
    return try digest.finish()
  }

  private func read(
    _ file: Int32, _ segment: WALSegment, _ path: String,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let block = Block(capacity: min(Self.chunk, segment.size))
    var offset = 0
    while offset < segment.size {
      block.reset()
      while block.count < min(Self.chunk, segment.size - offset) {
        let room = block.room
        let count = pread(file, room.baseAddress, room.count, offset + block.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          throw PhysicalBackupError(
            .localPlace,
            "\(path) ends after \(offset + block.count) bytes; a segment has \(segment.size)")
        }
        block.advance(by: count)
      }
      try body(block.bytes)
      offset += block.count
    }
  }

  private func contradiction(_ key: String, _ path: String) -> PhysicalBackupError {
    PhysicalBackupError(
      .wrongServer,
      "\(store.description) has another \(key) than \(path): two servers of one origin write to "
        + "one archive; set ENVIRONMENT to keep them apart")
  }

  private static func number(_ bytes: [UInt8], _ offset: Int, _ length: Int) -> UInt64 {
    bytes[offset..<offset + length].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
