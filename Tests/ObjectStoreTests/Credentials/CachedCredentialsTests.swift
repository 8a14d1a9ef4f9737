import ByteStream
import Synchronization
import Testing

@testable import ObjectStore

/// When credentials are looked for again, and when they are kept.
@Suite struct CachedCredentialsTests {
  /// A provider, and the clocks, as a test wants them.
  private final class Stage: CredentialsProvider {
    struct State {
      var time: Double = 1_000_000
      var looks = 0
      var lifetime: Double? = 3600
      var isAway = false
      var isConfigured = true
    }
    let state = Mutex(State())

    func find(cancellation: Cancellation) throws -> CredentialsFinding {
      try state.withLock { state in
        state.looks += 1
        if !state.isConfigured { return .absent("the stage is empty") }
        if state.isAway { throw ObjectStoreError(.unreachable, "the stage is away") }
        let end = state.lifetime.map { UTCTime(milliseconds: Int64((state.time + $0) * 1000)) }
        return .found(
          Credentials(accessKey: "k\(state.looks)", secretKey: "s", expires: end))
      }
    }

    func source(_ others: [any CredentialsProvider] = []) -> CachedCredentials {
      CachedCredentials(
        others + [self],
        now: { [self] in UTCTime(milliseconds: Int64(state.withLock { $0.time } * 1000)) },
        uptime: { [self] in state.withLock { $0.time } })
    }

    func pass(_ seconds: Double) { state.withLock { $0.time += seconds } }
    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
  }

  private func key(_ source: CachedCredentials) throws -> String {
    try source.credentials(cancellation: Cancellation()).accessKey
  }

  @Test func renewedBeforeTheyExpire() throws {
    let stage = Stage()
    let source = stage.source()
    #expect(try key(source) == "k1")
    stage.pass(3000)
    #expect(try key(source) == "k1")
    stage.pass(350)
    #expect(try key(source) == "k2")
    #expect(try key(source) == "k2")
  }

  @Test func lastingOnesAreKept() throws {
    let stage = Stage()
    stage.change { $0.lifetime = nil }
    let source = stage.source()
    for _ in 0..<5 {
      #expect(try key(source) == "k1")
      stage.pass(1e6)
    }
  }

  @Test func aServiceThatIsAwayEndsNothingWhileTheyHold() throws {
    let stage = Stage()
    let source = stage.source()
    #expect(try key(source) == "k1")
    stage.change { $0.isAway = true }
    stage.pass(3400)
    #expect(try key(source) == "k1")
    #expect(try key(source) == "k1")
    // Asked once, and not again for every request.
    #expect(stage.state.withLock { $0.looks } == 2)
    stage.pass(300)
    expectCode(.unreachable) { _ = try key(source) }
    stage.change { $0.isAway = false }
    #expect(try key(source) == "k4")
  }

  @Test func oneThatIsGivenShortlyBeforeItsEndIsUsed() throws {
    let stage = Stage()
    stage.change { $0.lifetime = 60 }
    let source = stage.source()
    for _ in 0..<10 { #expect(try key(source) == "k1") }
    stage.pass(31)
    #expect(try key(source) == "k2")
  }

  @Test func discardedOnesAreNotUsedAgain() throws {
    let stage = Stage()
    let source = stage.source()
    let first = try source.credentials(cancellation: Cancellation())
    source.discard(first)
    #expect(try key(source) == "k2")
    // Another thread's late word about the first ones changes nothing.
    source.discard(first)
    #expect(try key(source) == "k2")
  }

  @Test func renewalsComeFromWhereTheyWereFound() throws {
    let empty = Stage()
    let stage = Stage()
    empty.change { $0.isConfigured = false }
    let source = stage.source([empty])
    #expect(try key(source) == "k1")
    empty.change { $0.isConfigured = true }
    stage.pass(4000)
    #expect(try key(source) == "k2")
    #expect(empty.state.withLock { $0.looks } == 1)
  }

  @Test func whatWasLookedForIsSaid() throws {
    let stage = Stage()
    stage.change { $0.isConfigured = false }
    do {
      _ = try key(stage.source())
      Issue.record("found some")
    } catch let error as ObjectStoreError {
      #expect(error.code == .credentials)
      #expect(error.description.contains("the stage is empty"))
      #expect(error.description.contains("AWS_ACCESS_KEY_ID"))
    }
  }
}
