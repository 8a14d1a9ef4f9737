import ByteStream
import Glibc
import Gzip
import ObjectStore
import Postgres

/// Stores what the receiver hands it, in order, on a thread of its own.
///
/// The receiver never waits for it: it asks whether there is room, and goes on answering the
/// server when there is not. A failure ends the uploader; the receiver then begins again at what
/// the store holds.
final class WALUploader: Sendable {
  /// Work, in the order in which it is to be durable.
  enum Work: Sendable {
    /// The next part of a segment; the last one makes it whole. Superseded objects are then
    /// deleted.
    case chunk(WALSegment, Block, isLast: Bool, supersedes: [WALPiece])
    /// A piece, compressed. Superseded ones are then deleted.
    case piece(WALPiece, compressed: [UInt8], supersedes: [WALPiece])
    case object(key: String, [UInt8])
    /// Says how far WAL is durable without storing anything.
    case confirm(LSN)
  }

  private struct State {
    var queue: [Work] = []
    var isBusy = false
    var isStopped = false
    var failure: (any Error)?
    var confirmed: LSN
    var free: [Block] = []
    var made = 0
    var segmentsStored = 0
    var bytesStored = 0
  }

  /// How many blocks of WAL there may be: one that fills, one that waits, one under way.
  private static let blocks = 3
  /// Text in one gzip member of a segment.
  private static let memberSize = 4 << 20

  private let monitor: Monitor<State>
  private let store: any ObjectStore
  private let layout: ClusterLayout
  private let blockCapacity: Int
  private let cancellation: Cancellation
  private let group: ThreadGroup

  init(
    _ archive: WALArchive, confirmed: LSN, blockCapacity: Int, cancellation: Cancellation
  ) {
    store = archive.store
    layout = archive.layout
    self.blockCapacity = blockCapacity
    self.cancellation = cancellation
    let monitor = Monitor(State(confirmed: confirmed))
    self.monitor = monitor
    group = ThreadGroup(following: cancellation) { error in
      monitor.update { $0.failure = $0.failure ?? error }
    }
    group.start("wal-store") { try self.work() }
  }

  // MARK: The receiver's side

  /// Everything before this is durable.
  var confirmed: LSN { monitor.update { $0.confirmed } }
  /// Segments and bytes that were stored.
  var stored: (segments: Int, bytes: Int) {
    monitor.update { ($0.segmentsStored, $0.bytesStored) }
  }
  /// Whether all that was handed over is durable.
  var isIdle: Bool { monitor.update { $0.queue.isEmpty && !$0.isBusy } }

  /// Throws what ended the uploader, if something did.
  func check() throws {
    if let failure = monitor.update({ $0.failure }) { throw failure }
  }

  /// A block to fill; nil when all are out.
  func takeBlock() -> Block? {
    monitor.update { state in
      if let block = state.free.popLast() { return block }
      guard state.made < Self.blocks else { return nil }
      state.made += 1
      return Block(capacity: blockCapacity)
    }
  }

  /// Hands work over. Blocks bound the chunks, and the receiver's own pace the rest.
  func add(_ work: Work) { monitor.update { $0.queue.append(work) } }

  /// Ends the thread, and what it is doing.
  func stop() {
    monitor.update { state in
      state.isStopped = true
      state.queue.removeAll()
    }
    cancellation.cancel(reason: "the receiver begins again")
    try? group.join()
  }

  // MARK: The thread

  private func next() -> Work? {
    monitor.wait { state -> Work?? in
      if state.isStopped || state.failure != nil { return .some(nil) }
      guard !state.queue.isEmpty else { return nil }
      state.isBusy = true
      return .some(state.queue.removeFirst())
    }
  }

  private func work() throws {
    let compressor = try MemberCompressor(.fast)
    let output = Block(capacity: Self.memberSize + (64 << 10))
    var sink: (any ByteSink)?
    var sunk = 0
    defer { sink?.abort() }
    while let work = next() {
      switch work {
      case .chunk(let segment, let block, let isLast, let supersedes):
        let key = layout.segmentKey(segment)
        let open =
          try sink
          ?? store.writer(
            key,
            options: WriteOptions(
              expectedSize: segment.size, contentType: "application/gzip",
              cancellation: cancellation))
        sink = open
        var rest = block.bytes
        while !rest.isEmpty {
          let text = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.memberSize))
          rest = UnsafeRawBufferPointer(rebasing: rest[text.count...])
          output.reset()
          try compressor.compress(text, into: output)
          try open.write(output.bytes)
          sunk += output.count
        }
        giveBack(block)
        guard isLast else { break }
        try open.finish()
        sink = nil
        let bytes = sunk
        sunk = 0
        monitor.update { state in
          state.confirmed = max(state.confirmed, segment.end)
          state.segmentsStored += 1
          state.bytesStored += bytes
        }
        try delete(supersedes)
      case .piece(let piece, let compressed, let supersedes):
        try store.put(
          layout.pieceKey(piece), compressed, options: PutOptions(contentType: "application/gzip"))
        monitor.update { state in
          state.confirmed = max(state.confirmed, piece.segment.start + piece.range.upperBound)
          state.bytesStored += compressed.count
        }
        try delete(supersedes)
      case .object(let key, let bytes):
        try store.put(key, bytes)
      case .confirm(let position):
        monitor.update { $0.confirmed = max($0.confirmed, position) }
      }
      monitor.update { $0.isBusy = false }
    }
  }

  private func giveBack(_ block: Block) {
    block.reset()
    monitor.update { $0.free.append(block) }
  }

  private func delete(_ pieces: [WALPiece]) throws {
    guard !pieces.isEmpty else { return }
    do {
      try store.delete(pieces.map { layout.pieceKey($0) })
    } catch let error as ObjectStoreError where error.code == .retained || error.code == .denied {
      // A lock or a missing right keeps them: they stand in nobody's way, and prune says so.
    }
  }
}
