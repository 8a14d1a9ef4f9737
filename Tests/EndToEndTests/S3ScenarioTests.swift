import Foundation
import Synchronization
import TestSupport
import Testing

/// Random faults between the executables and a bucket, from seeds: whatever happens, an operation
/// succeeds and what it left verifies, or it fails with one error and leaves nothing that looks
/// complete.
@Suite struct S3ScenarioTests {
  /// 8 scenarios; 320 under PGKEEP_TEST_ALL.
  private static let rounds =
    ProcessInfo.processInfo.environment["PGKEEP_TEST_ALL"] == nil ? 1 : 40

  /// A database and a bucket, reached through a proxy and without one.
  private struct Scene {
    let bench: Bench
    let proxy: HTTPFaultProxy
    private let faulty: [String: String]
    private let direct: [String: String]
    /// The id of each backup that was reported, or found afterwards.
    var known: [String] = []

    init() throws {
      bench = try Bench(rows: 300)
      let server = try S3Server.shared()
      proxy = try HTTPFaultProxy(to: server.port)
      let bucket = try server.createBucket()
      direct = server.environment.merging(["BACKUP_STORE": "s3://\(bucket)/s"]) { $1 }
      faulty = direct.merging([
        "BACKUP_S3_ENDPOINT": proxy.endpoint, "BACKUP_S3_DEADLINE": "3",
        "BACKUP_S3_STALL_TIMEOUT": "1",
      ]) { $1 }
    }

    func backup(isFaulty: Bool) -> Tool { bench.backup.with(isFaulty ? faulty : direct) }
    var restore: Tool { bench.restore.with(faulty) }

    /// The backups that look complete to somebody whose line is good.
    func complete() throws -> [String] {
      let list = try backup(isFaulty: false)("list", "--json")
      list.expectSuccess()
      let entries = try list.json()["backups"] as? [[String: Any]] ?? []
      return entries.compactMap { entry in
        guard entry["state"] as? String == "complete" else { return nil }
        return entry["id"] as? String
      }
    }

    /// Puts up to three faults before requests that come soon.
    func addFaults(_ random: inout SeededGenerator) -> String {
      proxy.clear()
      var said: [String] = []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0...60_000, using: &random)
        let actions: [HTTPFaultProxy.Action] = [
          .s3Error(500, "InternalError"), .s3Error(503, "SlowDown"),
          .s3Error(429, "TooManyRequests"), .s3Error(403, "AccessDenied"),
          .s3Error(400, "ExpiredToken"), .cutRequest(afterBytes: place), .loseAnswer,
          .cutAnswer(afterBytes: place), .cutAnswer(afterBytes: place % 600),
          .endAnswer(afterBytes: place), .endAnswer(afterBytes: 200 + place % 600),
          .wrongLength(by: [-7, -1, 1, 50][place % 4]), .repeatAnswer,
          .delay(.milliseconds(place % 900)), .stall(.milliseconds(1500)),
          .answer(status: 200, body: "<Error><Code>InternalError</Code></Error>"),
          .answer(status: 200), .answer(status: 502, body: "<html>bad gateway</html>"),
        ]
        let action = actions[.random(in: 0..<actions.count, using: &random)]
        let times = [1, 1, 2, 5, 100][.random(in: 0..<5, using: &random)]
        let skipped = Int.random(in: 0...6, using: &random)
        said.append("\(action) \(times) times after \(skipped)")
        let left = Mutex(skipped)
        proxy.add(action, times: times) { _ in
          left.withLock { left in
            left -= 1
            return left < 0
          }
        }
      }
      return said.joined(separator: "; ")
    }
  }

  @Test(arguments: 0..<8)
  func scenarios(_ block: Int) throws {
    var scene = try Scene()
    try scene.backup(isFaulty: false)("run").expectSuccess()
    scene.known = try scene.complete()
    #expect(scene.known.count == 1)
    for round in 0..<Self.rounds {
      var random = SeededGenerator(seed: UInt64(block * 1000 + round))
      // Every operation in every scenario, each with faults of its own.
      try run(&scene, &random)
      try list(scene, &random)
      try verify(scene, &random)
      try restore(scene, &random)
      try prune(&scene, &random)
    }
  }

  /// What every outcome has to be: done, or one error.
  private func check(
    _ outcome: Tool.Outcome, codes: [Int32] = [1, 8], _ what: String
  ) throws {
    #expect(!outcome.errorText.contains(Bench.secret), "\(what)")
    guard outcome.code != 0 else { return }
    #expect(codes.contains(outcome.code), "\(what): \(outcome.code) \(outcome.errorText)")
    #expect(try outcome.errors().count == 1, "\(what): \(outcome.errorText)")
  }

  private func run(_ scene: inout Scene, _ random: inout SeededGenerator) throws {
    let faults = scene.addFaults(&random)
    let what = "seed \(random.seed), run: \(faults)"
    let outcome = try scene.backup(isFaulty: true)("run")
    scene.proxy.clear()
    // A store that gives a wrong length for what was just written is as good as damage.
    try check(outcome, codes: [1, 4, 8], what)
    let found = try scene.complete()
    let new = found.filter { !scene.known.contains($0) }
    // A manifest whose answer was lost may be there: then it is a backup, and whole.
    #expect(outcome.code == 0 ? new.count == 1 : new.count <= 1, "\(what)")
    #expect(Set(scene.known).isSubset(of: found), "\(what)")
    for id in new {
      let verified = try scene.backup(isFaulty: false)("verify", id)
      #expect(verified.code == 0, "\(what): \(verified.errorText)")
    }
    scene.known = found
  }

  private func list(_ scene: Scene, _ random: inout SeededGenerator) throws {
    let faults = scene.addFaults(&random)
    let what = "seed \(random.seed), list: \(faults)"
    let outcome = try scene.backup(isFaulty: true)("list", "--json")
    scene.proxy.clear()
    try check(outcome, what)
    guard outcome.code == 0 else { return }
    let entries = try outcome.json()["backups"] as? [[String: Any]] ?? []
    let complete = entries.filter { $0["state"] as? String == "complete" }
    #expect(complete.compactMap { $0["id"] as? String } == scene.known, "\(what)")
  }

  private func verify(_ scene: Scene, _ random: inout SeededGenerator) throws {
    let faults = scene.addFaults(&random)
    let what = "seed \(random.seed), verify: \(faults)"
    let outcome = try scene.backup(isFaulty: true)("verify")
    scene.proxy.clear()
    // A bad line is not a bad backup.
    try check(outcome, what)
    let listed = try scene.backup(isFaulty: false)("list").text
    #expect(!listed.contains("FAILED"), "\(what)")
  }

  private func restore(_ scene: Scene, _ random: inout SeededGenerator) throws {
    let faults = scene.addFaults(&random)
    let what = "seed \(random.seed), restore: \(faults)"
    let outcome = try scene.restore("latest", "--verify", "--jobs", "2")
    scene.proxy.clear()
    try check(outcome, what)
    let bench = scene.bench
    if outcome.code == 0 {
      #expect(
        try bench.contents(of: bench.target) == bench.contents(of: bench.database.name), "\(what)")
      try bench.cluster.psql("DROP DATABASE \(bench.target)")
    }
    #expect(try bench.restored().isEmpty, "\(what)")
  }

  private func prune(_ scene: inout Scene, _ random: inout SeededGenerator) throws {
    let faults = scene.addFaults(&random)
    let what = "seed \(random.seed), prune: \(faults)"
    let outcome = try scene.backup(isFaulty: true)("prune", "--keep-days", "0", "--keep-last", "2")
    scene.proxy.clear()
    try check(outcome, what)
    let found = try scene.complete()
    #expect(Set(found).isSubset(of: scene.known), "\(what)")
    #expect(found.suffix(2) == scene.known.suffix(2), "\(what)")
    #expect(outcome.code != 0 || found.count <= 2, "\(what)")
    scene.known = found
  }
}
