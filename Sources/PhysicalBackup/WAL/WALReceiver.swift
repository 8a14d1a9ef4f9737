public import Age
public import ByteStream
public import ObjectStore
public import Postgres

/// Streams WAL into the store until it is told to stop.
///
/// It confirms to the server only what the store has acknowledged, so a slot keeps the rest. After
/// any failure, of the server, the store or itself, it goes on exactly where the store ends.
public struct WALReceiver: Sendable {
  public struct Options: Sendable {
    /// The physical slot; made, with WAL reserved, when it is not there.
    public var slot = "pgkeep"
    /// The most WAL, in time, that is lost when host and disk vanish.
    public var tailInterval: Duration = .seconds(10)
    /// How often the server hears of us at least.
    public var statusInterval: Duration = .seconds(5)
    /// Whom WAL is encrypted to; nobody when empty.
    public var recipients: [AgeRecipient] = []
    /// Go on when WAL is missing between the archive and the server. Moments after the gap are
    /// then reached from a later base backup only.
    public var acceptsGap = false
    /// How long at most to wait before the next attempt after a failure.
    public var longestBackoff: Duration = .seconds(30)
    /// End instead of connecting again, for tests and one-time runs.
    public var endsAtFailure = false
    /// How long the store may take for the last piece when we are told to stop.
    public var stopGrace: Duration = .seconds(20)

    public init() {}
  }

  /// What a running receiver tells.
  public enum Event: Sendable, CustomStringConvertible {
    /// Streaming has begun.
    case streaming(timeline: UInt32, from: LSN, slot: String)
    /// Everything before the position is durable; `stored` counts bytes in this session.
    case confirmed(LSN, segments: Int, stored: Int)
    /// The server has just been told where we are.
    case alive
    /// The server goes on on another timeline.
    case timeline(UInt32, from: LSN)
    case warning(String)
    /// A failure; the next attempt comes after the wait.
    case retrying(any Error, after: Duration)

    public var description: String {
      switch self {
      case .streaming(let timeline, let from, let slot):
        "streaming WAL of timeline \(timeline) from \(from) through slot \(slot)"
      case .confirmed(let position, let segments, let stored):
        "WAL is durable up to \(position) (\(segments) segments, \(stored) bytes stored)"
      case .alive: "streaming"
      case .timeline(let timeline, let from):
        "the server goes on on timeline \(timeline) from \(from)"
      case .warning(let text): text
      case .retrying(let error, let wait): "\(error); next attempt in \(wait)"
      }
    }
  }

  public let target: ConnectionTarget
  public let store: any ObjectStore
  public let environment: String
  public let options: Options

  public init(
    _ target: ConnectionTarget, to store: any ObjectStore, environment: String,
    options: Options = Options()
  ) {
    self.target = target
    self.store =
      options.recipients.isEmpty ? store : SealedStore(store, recipients: options.recipients)
    self.environment = environment
    self.options = options
  }

  /// Receives until `cancellation` is cancelled, which is its good end: what has arrived is then
  /// stored as far as the store allows in a few seconds.
  ///
  /// - Throws: only what another attempt cannot mend: a gap, another cluster, a refused login.
  public func run(
    cancellation: Cancellation, onEvent: @escaping @Sendable (Event) -> Void = { _ in }
  ) throws {
    var wait: Duration = .milliseconds(500)
    while !cancellation.isCancelled {
      let session = ReceiverSession(self, cancellation: cancellation, onEvent: onEvent)
      do {
        try session.run()
      } catch {
        if cancellation.isCancelled { return }
        if options.endsAtFailure || Self.isFinal(error) { throw error }
        if session.hasProgressed { wait = .milliseconds(500) }
        onEvent(.retrying(error, after: wait))
      }
      Self.sleep(wait, cancellation)
      wait = min(wait * 2, options.longestBackoff)
    }
  }

  /// Whether another attempt would end the same way.
  private static func isFinal(_ error: any Error) -> Bool {
    switch error {
    case let error as PhysicalBackupError:
      [.gap, .wrongServer, .newerFormat, .permission].contains(error.code)
    case let error as PostgresError:
      error.code == .authentication || error.code == .invalidTarget
    case let error as ObjectStoreError: error.code == .invalidLocation
    default: false
    }
  }

  private static func sleep(_ duration: Duration, _ cancellation: Cancellation) {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end, !cancellation.isCancelled { Pause.milliseconds(50) }
  }
}
