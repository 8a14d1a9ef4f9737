import Age
import ByteStream
import Foundation
import ObjectStore
import Postgres
import Synchronization
import TestSupport

@testable import PhysicalBackup

/// A receiver on a thread of this process.
final class TestReceiver: Sendable {
  private struct State: Sendable {
    var confirmed = LSN.zero
    var isStreaming = false
    var isDone = false
    var failure: (any Error)?
    var events: [String] = []
  }

  /// Outlives the test's own reference while the thread runs.
  private final class Shared: Sendable {
    let mutex = Mutex(State())
    func withLock<Result>(_ body: (inout sending State) -> sending Result) -> sending Result {
      mutex.withLock(body)
    }
  }

  let environment = "test"
  private let state: Shared
  private let cancellation = Cancellation()
  private let receiver: WALReceiver
  private let store: any ObjectStore

  init(
    _ target: ConnectionTarget, _ store: any ObjectStore, tail: Duration = .milliseconds(200),
    acceptsGap: Bool = false, slot: String = "pgkeep", recipients: [AgeRecipient] = []
  ) {
    state = Shared()
    var options = WALReceiver.Options()
    options.tailInterval = tail
    options.statusInterval = .milliseconds(500)
    options.longestBackoff = .milliseconds(500)
    options.acceptsGap = acceptsGap
    options.slot = slot
    options.recipients = recipients
    self.store = store
    receiver = WALReceiver(target, to: store, environment: environment, options: options)
  }

  convenience init(
    _ cluster: TemporaryCluster, _ store: any ObjectStore, tail: Duration = .milliseconds(200),
    acceptsGap: Bool = false, slot: String = "pgkeep", recipients: [AgeRecipient] = []
  ) throws {
    self.init(
      try ConnectionTarget(cluster.url()), store, tail: tail, acceptsGap: acceptsGap, slot: slot,
      recipients: recipients)
  }

  deinit { cancellation.cancel(reason: "the test has ended") }

  var events: [String] { state.withLock { $0.events } }
  var confirmed: LSN { state.withLock { $0.confirmed } }

  func start(waits: Bool = true) throws {
    let (cancellation, receiver, state) = (cancellation, receiver, state)
    JobThread.start("test-receiver") {
      do {
        try receiver.run(cancellation: cancellation) { Self.note($0, state) }
      } catch {
        state.withLock { $0.failure = error }
      }
      state.withLock { $0.isDone = true }
    }
    if waits { try wait("streaming") { $0.isStreaming } }
  }

  private static func note(_ event: WALReceiver.Event, _ state: Shared) {
    state.withLock { state in
      state.events.append("\(event)")
      if case .confirmed(let position, _, _) = event { state.confirmed = position }
      if case .streaming = event { state.isStreaming = true }
    }
  }

  func waitUntilConfirmed(_ position: LSN) throws {
    try wait("\(position) confirmed") { $0.confirmed >= position }
  }

  func waitForEvent(_ text: String) throws {
    try wait("event \(text)") { $0.events.contains { $0.contains(text) } }
  }

  private func wait(_ what: String, _ isThere: @Sendable (State) -> Bool) throws {
    let limit = ContinuousClock.now + .seconds(60)
    while !state.withLock({ isThere($0) }) {
      if let failure = state.withLock({ $0.failure }) { throw failure }
      guard ContinuousClock.now < limit else {
        throw TestSupportError("not \(what) in time: \(events.suffix(10))")
      }
      usleep(20_000)
    }
  }

  /// What it ended with.
  func failure() -> (any Error)? {
    let limit = ContinuousClock.now + .seconds(60)
    while !state.withLock({ $0.isDone }), ContinuousClock.now < limit { usleep(20_000) }
    return state.withLock { $0.failure }
  }

  func stop() throws {
    cancellation.cancel(reason: "the test says so")
    let limit = ContinuousClock.now + .seconds(60)
    while !state.withLock({ $0.isDone }) {
      guard ContinuousClock.now < limit else { throw TestSupportError("the receiver hangs") }
      usleep(20_000)
    }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// The archive that it writes to.
  func archive() throws -> WALArchive {
    let prefix = environment + "/cluster/"
    guard let key = try store.list(prefix: prefix).first?.key else {
      throw TestSupportError("the archive is empty")
    }
    let identifier = String(key.dropFirst(prefix.count).prefix { $0 != "/" })
    let layout = ClusterLayout(environment: environment, systemIdentifier: identifier)
    guard let archive = try WALArchive(store, layout) else {
      throw TestSupportError("there is no archive")
    }
    return archive
  }
}

extension TemporaryCluster {
  /// How far the server's log is flushed.
  func walFlushed() throws -> LSN {
    // With synchronous_commit off the WAL writer would take its time.
    let text = try psql(
      "SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'x', ''); SELECT pg_current_wal_flush_lsn()"
    )
    guard let line = text.split(separator: "\n").last, let position = LSN(line) else {
      throw TestSupportError("no position: \(text)")
    }
    return position
  }
}
