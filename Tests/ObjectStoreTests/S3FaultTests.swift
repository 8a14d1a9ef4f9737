import ByteStream
import Foundation
import ObjectStore
import Synchronization
import TestSupport
import Testing

/// Faults between the S3 store and a real server: each ends in success with the right bytes, or in
/// one clear error with nothing that looks whole.
@Suite struct S3FaultTests {
  /// A proxy before SeaweedFS, a store that goes through it, and one that does not.
  struct Bench {
    let proxy: HTTPFaultProxy
    let store: PrefixedStore
    let direct: PrefixedStore

    init(change: (inout S3Settings) -> Void = { _ in }) throws {
      let server = try S3Server.shared(.seaweedFS)
      let bucket = try SharedBucket.seaweedFSBucket()
      proxy = try HTTPFaultProxy(to: server.port)
      let faulty = try SharedBucket.store(server, bucket: bucket, endpoint: proxy.endpoint) {
        $0.attempts = 4
        change(&$0)
      }
      let prefix = "faults/\(UUID().uuidString)"
      store = try PrefixedStore(faulty, prefix: prefix)
      direct = try PrefixedStore(SharedBucket.store(server, bucket: bucket), prefix: prefix)
    }
  }

  // MARK: Errors in words

  @Test(arguments: [
    (403, "AccessDenied", ObjectStoreError.Code.denied), (403, "InvalidAccessKeyId", .credentials),
    (403, "SignatureDoesNotMatch", .credentials), (400, "ExpiredToken", .credentials),
    (403, "RequestTimeTooSkewed", .clockSkew), (404, "NoSuchBucket", .notFound),
    (403, "QuotaExceeded", .noSpace), (500, "InternalError", .provider),
    (503, "SlowDown", .throttled), (429, "TooManyRequests", .throttled),
    (400, "AuthorizationHeaderMalformed", .credentials),
    (301, "PermanentRedirect", .invalidLocation),
    (418, "Teapot", .provider), (507, "InsufficientStorage", .noSpace),
  ])
  func refusalsAreExplained(_ status: Int, _ code: String, _ expected: ObjectStoreError.Code) throws
  {
    let bench = try Bench()
    bench.proxy.add(.s3Error(status, code, headers: ["Date": "Sun, 22 Nov 2020 02:00:00 GMT"]))
    for operation in [
      { try bench.store.put("k", [1]) }, { _ = try bench.store.readAll("k", limit: 10) },
      { _ = try bench.store.info("k") }, { _ = try bench.store.list(prefix: "") },
      { try bench.store.delete("k") },
      {
        let sink = try bench.store.writer("k")
        try sink.write([UInt8](repeating: 1, count: 6_000_000))
        try sink.finish()
      },
    ] as [() throws -> Void] {
      do {
        try operation()
        // Nothing to delete, and nothing to know of, is no error.
        #expect(status == 404)
      } catch let error as ObjectStoreError {
        #expect(error.code == expected, "\(error)")
        #expect(error.answer?.status == status)
        // HEAD's answer has no body; the code is asked for once more.
        if status != 500 && status != 503 && status != 429 && status < 500 && status != 301
          && status != 418
        {
          #expect(error.description.contains(code), "\(error)")
        }
        #expect(!error.description.contains("pgkeep/test+secret"))
      }
    }
    bench.proxy.clear()
    #expect(try bench.store.list(prefix: "").isEmpty)
    #expect(try bench.store.unfinished(prefix: "").isEmpty)
  }

  @Test func theServersOwnRefusalsAreExplained() throws {
    let server = try S3Server.shared(.seaweedFS)
    let bucket = try SharedBucket.seaweedFSBucket()
    var settings = S3Settings(endpoint: server.endpoint, region: server.region)
    settings.firstRetryDelay = 0.01
    func store(_ key: String, _ secret: String, bucket: String) throws -> S3Store {
      try S3Store(
        bucket: bucket, settings: settings,
        credentials: FixedCredentials(Credentials(accessKey: key, secretKey: secret)))
    }
    let wrong = try store(server.accessKey, "not the secret", bucket: bucket)
    expectCode(.credentials) { try wrong.put("k", [1]) }
    expectCode(.credentials) { _ = try wrong.info("k") }
    let unknown = try store("NOSUCHKEY", "x", bucket: bucket)
    expectCode(.credentials) { _ = try unknown.list(prefix: "") }
    let missing = try store(server.accessKey, server.secretKey, bucket: "no-such-bucket")
    expectCode(.notFound) { _ = try missing.list(prefix: "") }
  }

  @Test func aServerThatIsAwayIsUnreachable() throws {
    var settings = S3Settings(endpoint: "http://127.0.0.1:\(try LoopbackPort.free())")
    settings.firstRetryDelay = 0.01
    settings.attempts = 3
    let store = try S3Store(
      bucket: "bucket", settings: settings,
      credentials: FixedCredentials(Credentials(accessKey: "k", secretKey: "s")))
    do {
      try store.put("k", [1])
      Issue.record("wrote to nowhere")
    } catch let error as ObjectStoreError {
      #expect(error.code == .unreachable)
      #expect(error.description.contains("in 3 tries"))
    }
  }

  // MARK: Faults that pass

  @Test(arguments: [
    HTTPFaultProxy.Action.s3Error(500, "InternalError"), .s3Error(503, "SlowDown"),
    .s3Error(429, "TooManyRequests"), .answer(status: 502, body: "<html>bad gateway</html>"),
    .cutRequest(afterBytes: 0), .cutRequest(afterBytes: 100_000), .loseAnswer,
    .cutAnswer(afterBytes: 40), .answer(status: 200, body: "<html>a portal</html>"),
    .stall(.seconds(30)), .s3Error(400, "BadDigest"),
    .s3Error(400, "RequestTimeout"),
  ])
  func passingFaultsAreRetried(_ action: HTTPFaultProxy.Action) throws {
    let bench = try Bench { $0.stallTimeout = 1 }
    let bytes = StoreConformance.pattern(11_000_000)
    bench.proxy.add(action, times: 1) { $0.method == "PUT" }
    bench.proxy.add(action, times: 1) { $0.method == "GET" && !$0.target.contains("list-type") }
    if case .answer(status: 200, _, _) = action {
    } else {
      bench.proxy.add(action, times: 1) { $0.target.contains("list-type") }
    }
    let sink = try bench.store.writer("object")
    try sink.write(bytes)
    try sink.finish()
    #expect(try bench.direct.info("object")?.size == bytes.count)
    let read = try bench.store.readAll("object", limit: bytes.count)
    expectSame(read, bytes)
    #expect(try bench.store.list(prefix: "").map(\.key) == ["object"])
    #expect(try bench.store.unfinished(prefix: "").isEmpty)
  }

  @Test(arguments: [1, 200, 70_000, 1_000_000, 2_900_000])
  func aReadGoesOnWhereItBroke(_ place: Int) throws {
    let bench = try Bench()
    let bytes = StoreConformance.pattern(3_000_000)
    try bench.direct.put("object", bytes)
    // More breaks than tries are allowed, but each one after more bytes.
    bench.proxy.add(.cutAnswer(afterBytes: place + 500), times: place > 100_000 ? 2 : 3)
    let read = try bench.store.readAll("object", limit: bytes.count)
    expectSame(read, bytes)
    let ranges = bench.proxy.requests.compactMap { $0.headers["range"] }
    #expect(place < 1000 || ranges.contains { !$0.hasPrefix("bytes=0-") })
  }

  @Test func aReadThatMovesMayBreakOften() throws {
    let bench = try Bench()
    let bytes = StoreConformance.pattern(3_000_000)
    try bench.direct.put("object", bytes)
    bench.proxy.add(.cutAnswer(afterBytes: 400_000), times: 20)
    let read = try bench.store.readAll("object", limit: bytes.count)
    expectSame(read, bytes)
    #expect(bench.proxy.requests.count > 6)
  }

  @Test func anObjectThatIsReplacedWhileItIsReadIsNotMixed() throws {
    let bench = try Bench()
    try bench.direct.put("object", [UInt8](repeating: 1, count: 2_000_000))
    bench.proxy.add(.cutAnswer(afterBytes: 500_000), times: 1)
    var isReplaced = false
    expectCode(.damaged) {
      try bench.store.read("object") { _ in
        if !isReplaced {
          try bench.direct.put("object", [UInt8](repeating: 2, count: 2_000_000))
          isReplaced = true
        }
      }
    }
  }

  // MARK: Reading by several ranges at once

  /// Of 11 MB and a few bytes, with ranges of 1 MiB.
  private func long() throws -> (bench: Bench, bytes: [UInt8]) {
    let bench = try Bench { $0.downloadSize = 1 << 20 }
    let bytes = StoreConformance.pattern(11_000_003)
    try bench.direct.put("long", bytes)
    return (bench, bytes)
  }

  @Test(arguments: [nil, 0..<11_000_003, 7..<9_999_999])
  func aLongReadUsesSeveralRanges(_ range: Range<Int>?) throws {
    let (bench, bytes) = try long()
    bench.proxy.add(.cutAnswer(afterBytes: 300_000), times: 5) { $0.headers["range"] != nil }
    bench.proxy.add(.s3Error(503, "SlowDown"), times: 2) { $0.headers["range"] != nil }
    var read: [UInt8] = []
    try bench.store.read("long", range: range, cancellation: Cancellation()) {
      read.append(contentsOf: $0)
    }
    expectSame(read, Array(bytes[range ?? 0..<bytes.count]))
    #expect(bench.proxy.requests.filter { $0.headers["range"] != nil }.count >= 15)
    // All of one version.
    #expect(bench.proxy.requests.dropFirst(6).allSatisfy { $0.headers["if-match"] != nil })
  }

  @Test func aLongReadFailsAsAWhole() throws {
    let (bench, bytes) = try long()
    bench.proxy.add(.s3Error(403, "AccessDenied")) {
      $0.headers["range"]?.hasPrefix("bytes=5242880-") == true
    }
    var read: [UInt8] = []
    expectCode(.denied) { try bench.store.read("long") { read.append(contentsOf: $0) } }
    expectSame(read, Array(bytes[..<read.count]))
    #expect(read.count <= 5 << 20)
    bench.proxy.clear()
    expectCode(.truncated) { _ = try bench.store.readRange("long", 0..<11_000_004) }
  }

  @Test func aLongReadIsOfOneVersion() throws {
    let (bench, _) = try long()
    var isReplaced = false
    expectCode(.damaged) {
      try bench.store.read("long") { _ in
        if !isReplaced {
          try bench.direct.put("long", [UInt8](repeating: 2, count: 11_000_003))
          isReplaced = true
        }
      }
    }
  }

  @Test func aLongReadStopsWhenItsReaderDoes() throws {
    let (bench, _) = try long()
    var pieces = 0
    #expect(throws: Mine.self) {
      try bench.store.read("long") { _ in
        pieces += 1
        if pieces == 3 { throw Mine() }
      }
    }
    let asked = bench.proxy.requests.count
    #expect(asked <= 12)
    bench.proxy.add(.stall(.seconds(60))) { $0.headers["range"] != nil }
    let cancellation = Cancellation()
    let started = ContinuousClock.now
    let group = ThreadGroup(following: Cancellation())
    group.start("canceller") {
      Thread.sleep(forTimeInterval: 0.5)
      cancellation.cancel(reason: "stopped by the test")
    }
    expectCode(.cancelled) {
      try bench.store.read("long", range: nil, cancellation: cancellation) { _ in }
    }
    try group.join()
    #expect(ContinuousClock.now - started < .seconds(30))
    #expect(bench.proxy.requests.count <= asked + 6)
    // The next reader finds nothing taken.
    bench.proxy.clear()
    #expect(try bench.store.readAll("long", limit: 12_000_000).count == 11_000_003)
    #expect(bench.proxy.requests.filter { $0.headers["range"] != nil }.count > 14)
  }

  @Test func twoLongReadsAtOnce() throws {
    let (bench, bytes) = try long()
    let group = ThreadGroup(following: Cancellation())
    for thread in 0..<3 {
      group.start("reader \(thread)") {
        let read = try bench.store.readAll("long", limit: 12_000_000)
        if read != bytes { throw ObjectStoreError(.damaged, "not the same") }
      }
    }
    try group.join()
  }

  @Test func aManifestWhoseAnswerWasLostIsOurs() throws {
    let bench = try Bench()
    bench.proxy.add(.loseAnswer, times: 1) { $0.method == "PUT" }
    try bench.store.put("m.json", [1, 2, 3], options: PutOptions(onlyIfAbsent: true))
    #expect(try bench.direct.readAll("m.json", limit: 9) == [1, 2, 3])
  }

  // MARK: Uploads

  @Test func anUploadThatWasBegunTwiceIsLeftOnce() throws {
    let bench = try Bench()
    bench.proxy.add(.loseAnswer, times: 2) {
      $0.method == "POST" && $0.target.hasSuffix("uploads=")
    }
    try upload(bench.store)
    #expect(try bench.direct.info("object")?.size == 6_000_000)
    #expect(try bench.direct.unfinished(prefix: "").isEmpty)
    let begun = bench.proxy.requests.filter {
      $0.method == "POST" && $0.target.hasSuffix("uploads=")
    }
    #expect(begun.count == 3)
  }

  @Test func completionWithAnErrorInsideIsRetried() throws {
    let bench = try Bench()
    bench.proxy.add(errorInside("InternalError"), times: 2, when: isCompletion)
    try upload(bench.store)
    #expect(try bench.direct.info("object")?.size == 6_000_000)
  }

  @Test func completionThatNeverSucceedsLeavesNothing() throws {
    let bench = try Bench()
    bench.proxy.add(errorInside("InternalError"), when: isCompletion)
    expectCode(.provider) { try upload(bench.store) }
    #expect(try bench.direct.info("object") == nil)
    #expect(try bench.direct.unfinished(prefix: "").isEmpty)
  }

  @Test func completionWithAnEmptyAnswerIsNotBelieved() throws {
    let bench = try Bench()
    bench.proxy.add(.answer(status: 200), when: isCompletion)
    #expect(throws: ObjectStoreError.self) { try upload(bench.store) }
    #expect(try bench.direct.info("object") == nil)
  }

  @Test func completionWhoseAnswerWasLostIsFound() throws {
    let bench = try Bench()
    bench.proxy.add(.loseAnswer, times: 1, when: isCompletion)
    try upload(bench.store)
    #expect(try bench.direct.info("object")?.size == 6_000_000)
  }

  @Test func aPartThatNeverArrivesEndsTheUpload() throws {
    let bench = try Bench()
    bench.proxy.add(.s3Error(503, "SlowDown")) { $0.target.contains("partNumber=2") }
    expectCode(.throttled) { try upload(bench.store, size: 40_000_000) }
    #expect(try bench.direct.info("object") == nil)
    #expect(try bench.direct.unfinished(prefix: "").isEmpty)
    let tries = bench.proxy.requests.filter { $0.target.contains("partNumber=2") }.count
    #expect(tries == 4)
  }

  @Test func cancellingStopsAStalledUploadSoon() throws {
    let bench = try Bench()
    bench.proxy.add(.stall(.seconds(60))) { $0.method == "PUT" }
    let cancellation = Cancellation()
    let started = ContinuousClock.now
    let group = ThreadGroup(following: Cancellation())
    group.start("canceller") {
      Thread.sleep(forTimeInterval: 0.5)
      cancellation.cancel(reason: "stopped by the test")
    }
    expectCode(.cancelled) {
      let sink = try bench.store.writer("object", options: WriteOptions(cancellation: cancellation))
      try sink.write(StoreConformance.pattern(20_000_000))
      try sink.finish()
    }
    try group.join()
    #expect(ContinuousClock.now - started < .seconds(30))
    bench.proxy.clear()
    #expect(try bench.direct.unfinished(prefix: "").isEmpty)
  }

  @Test func expiredCredentialsAreFetchedAnew() throws {
    final class Renewing: CredentialsSource {
      let given = Mutex(0)
      let server: S3Server
      init(_ server: S3Server) { self.server = server }
      func credentials(cancellation: Cancellation) -> Credentials {
        Credentials(accessKey: server.accessKey, secretKey: server.secretKey)
      }
      func discard(_ credentials: Credentials) { given.withLock { $0 += 1 } }
    }
    let server = try S3Server.shared(.seaweedFS)
    let proxy = try HTTPFaultProxy(to: server.port)
    let source = Renewing(server)
    var settings = S3Settings(endpoint: proxy.endpoint, region: server.region)
    settings.firstRetryDelay = 0.01
    let store = try S3Store(
      bucket: try SharedBucket.seaweedFSBucket(), settings: settings, credentials: source)
    proxy.add(.s3Error(400, "ExpiredToken"), times: 1) { $0.target.contains("partNumber=2") }
    let sink = try store.writer("expiring")
    try sink.write(StoreConformance.pattern(20_000_000))
    try sink.finish()
    #expect(source.given.withLock { $0 } == 1)
    #expect(try store.info("expiring")?.size == 20_000_000)
  }

  @Test func largePartsGoThroughFiles() throws {
    let server = try S3Server.shared(.seaweedFS)
    let folder = try TestDirectory()
    let store = try SharedBucket.store(server, bucket: try SharedBucket.seaweedFSBucket()) {
      $0.largestPartInMemory = 1 << 20
      $0.spoolDirectory = folder.path
    }
    try upload(store, size: 21_000_000)
    let read = try store.readAll("object", limit: 30_000_000)
    expectSame(read, StoreConformance.pattern(21_000_000))
    #expect(try folder.names().isEmpty)
    let broken = try SharedBucket.store(server, bucket: try SharedBucket.seaweedFSBucket()) {
      $0.largestPartInMemory = 1 << 20
      $0.spoolDirectory = folder.path + "/missing"
    }
    expectCode(.notFound) { try upload(broken) }
  }

  // MARK: Many scenarios

  /// 40 scenarios; 400 under PGKEEP_TEST_ALL.
  private static let rounds =
    ProcessInfo.processInfo.environment["PGKEEP_TEST_ALL"] == nil ? 5 : 50

  /// Random faults at random requests: whatever happens, what is visible is whole and right.
  @Test(arguments: 0..<8)
  func randomFaults(_ block: Int) throws {
    let bench = try Bench {
      $0.stallTimeout = 1
      $0.attempts = 3
      $0.firstRetryDelay = 0.005
    }
    for round in 0..<Self.rounds {
      var random = SeededGenerator(seed: UInt64(block * 1000 + round))
      try scenario(bench, "object \(block)-\(round)", &random)
      bench.proxy.clear()
    }
    #expect(try bench.direct.unfinished(prefix: "").isEmpty)
  }

  private func scenario(_ bench: Bench, _ key: String, _ random: inout SeededGenerator) throws {
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let actions: [HTTPFaultProxy.Action] = [
        .s3Error(500, "InternalError"), .s3Error(503, "SlowDown"), .s3Error(403, "AccessDenied"),
        .cutRequest(afterBytes: .random(in: 0...6_000_000, using: &random)), .loseAnswer,
        .cutAnswer(afterBytes: .random(in: 0...100_000, using: &random)), .loseAnswer,
        .answer(status: 200, body: "<Error><Code>InternalError</Code></Error>"),
      ]
      let skipped = Mutex(Int.random(in: 0...5, using: &random))
      bench.proxy.add(
        actions[.random(in: 0..<actions.count, using: &random)],
        times: [1, 2, 3, 100][.random(in: 0..<4, using: &random)]
      ) { _ in
        skipped.withLock {
          $0 -= 1
          return $0 < 0
        }
      }
    }
    let size = [10, 300_000, 5_300_000][.random(in: 0..<3, using: &random)]
    let bytes = StoreConformance.pattern(size)
    var isWritten = false
    do {
      let sink = try bench.store.writer(key)
      try sink.write(bytes)
      try sink.finish()
      isWritten = true
    } catch is ObjectStoreError {}
    if let read = try? bench.store.readAll(key, limit: size) {
      expectSame(read, bytes, "seed \(random.seed)")
    }
    let visible = try bench.direct.info(key)
    #expect(!isWritten || visible != nil, "seed \(random.seed): reported, and not there")
    if visible != nil {
      let found = try bench.direct.readAll(key, limit: size)
      expectSame(found, bytes, "seed \(random.seed)")
    }
    // An upload that was begun or aborted without our hearing of it may be left, whose listing or
    // abort met the same faults: it is found and discarded later.
    for write in try bench.direct.unfinished(prefix: key) { try bench.direct.discard(write) }
  }

  // MARK: Helpers

  private func upload(_ store: some ObjectStore, size: Int = 6_000_000) throws {
    let sink = try store.writer("object")
    try sink.write(StoreConformance.pattern(size))
    try sink.finish()
  }

  @Sendable private func isCompletion(_ request: HTTPFaultProxy.Request) -> Bool {
    request.method == "POST" && request.target.contains("uploadId")
  }

  private func errorInside(_ code: String) -> HTTPFaultProxy.Action {
    .answer(
      status: 200,
      body: "  \n<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>x</Message></Error>")
  }
}
