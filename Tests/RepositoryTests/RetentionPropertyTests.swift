import ObjectStore
import Repository
import Testing

/// What holds for the plan of every history, stated over many random ones.
@Suite struct RetentionPropertyTests {
  /// A generator with a seed, so that a failure can be repeated.
  struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var z = state
      z = (z ^ (z >> 33)) &* 0xFF51_AFD7_ED55_8CCD
      return z ^ (z >> 33)
    }
  }

  struct History {
    var catalog: BackupCatalog
    var policy: RetentionPolicy
    var pinned: Set<BackupID>
    var now: UTCTime
  }

  static func history(_ seed: UInt64) throws -> History {
    var random = Seeded(state: seed)
    let now = Sample.time.adding(seconds: .random(in: 0...400_000_000, using: &random))
    var entries: [CatalogEntry] = []
    for database in ["app", "keycloak", "cluster"].prefix(.random(in: 1...3, using: &random)) {
      let newest = Int64.random(
        in: 0...(Bool.random(using: &random) ? 200_000 : 9_000_000), using: &random)
      var age = newest
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        let kind = Int.random(in: 0..<20, using: &random)
        let time = now.adding(seconds: -age)
        entries.append(
          try Sample.entry(
            database, at: time, partial: kind == 0, problem: kind == 1 ? "missing" : nil,
            stored: kind == 2 ? now.adding(seconds: -age / 2) : nil,
            proof: kind < 6 ? nil : kind < 9 ? Bool.random(using: &random) : nil))
        age += .random(in: 1...400_000, using: &random)
      }
    }
    let leftovers = try (0..<Int.random(in: 0...4, using: &random)).map { _ in
      let time = now.adding(seconds: -.random(in: 0...2_000_000, using: &random))
      let names = try Sample.names(at: time)
      return Leftover(
        names: names, key: names.dataKey(encrypted: false), kind: .object, modified: time, bytes: 1)
    }
    let counts = (0..<5).map { _ in max(0, Int.random(in: -6...6, using: &random)) }
    var policy = RetentionPolicy(
      keepDays: max(0, .random(in: -20...60, using: &random)), keepLast: counts[0],
      keepDaily: counts[1], keepWeekly: counts[2], keepMonthly: counts[3], keepYearly: counts[4])
    if policy.keepDays + counts.reduce(0, +) == 0 { policy.keepLast = 1 }
    let pinned = Set(entries.filter { _ in Int.random(in: 0..<10, using: &random) == 0 }.map(\.id))
    return History(
      catalog: Sample.catalog(entries, leftovers: leftovers), policy: policy, pinned: pinned,
      now: now)
  }

  @Test(arguments: 1...20)
  func invariants(_ block: Int) throws {
    var planned = 0
    for seed in 0..<60 {
      let history = try Self.history(UInt64(block * 1000 + seed))
      guard
        let plan = try? RetentionPlan(
          history.catalog, policy: history.policy, now: history.now, pinned: history.pinned)
      else { continue }
      planned += 1
      check(plan, history, "seed \(block * 1000 + seed)")
    }
    #expect(planned > 20)
  }

  private func check(_ plan: RetentionPlan, _ history: History, _ label: Comment) {
    var deleted: Set<BackupNames> = []
    for case .backup(let entry) in plan.deletions.map(\.subject) { deleted.insert(entry.names) }
    let entries = history.catalog.entries
    #expect(plan.lines.count == entries.count + history.catalog.leftovers.count, label)
    for database in history.catalog.databases {
      let mine = entries.filter { $0.database == database }
      let whole = mine.filter(\.isWhole)
      if let newest = whole.last { #expect(!deleted.contains(newest.names), label) }
      if let verified = whole.last(where: { $0.newestProof?.passed == true }) {
        #expect(!deleted.contains(verified.names), label)
      }
      if let sound = whole.last(where: { $0.newestProof?.passed != false }) {
        #expect(!deleted.contains(sound.names), label)
      }
      if whole.isEmpty { #expect(mine.allSatisfy { !deleted.contains($0.names) }, label) }
      // A later backup never goes while an earlier one stays only for its age.
      for entry in whole.suffix(history.policy.keepLast) {
        #expect(!deleted.contains(entry.names), label)
      }
    }
    for entry in entries where deleted.contains(entry.names) {
      let age = history.now.seconds(since: entry.id.time)
      #expect(age > Double(history.policy.keepDays) * 86400, label)
      #expect(!history.pinned.contains(entry.id), label)
      if !entry.isWhole { #expect(age > 7 * 86400, label) }
    }
    for case .leftover(let leftover) in plan.deletions.map(\.subject) {
      #expect(history.now.seconds(since: leftover.modified) > 7 * 86400, label)
    }
  }

  /// What a prune leaves, pruned again at the same moment, loses nothing more.
  @Test func pruningTwiceIsPruningOnce() throws {
    for seed in 0..<400 {
      let history = try Self.history(UInt64(seed))
      guard
        let plan = try? RetentionPlan(
          history.catalog, policy: history.policy, now: history.now, pinned: history.pinned)
      else { continue }
      let gone = Set(plan.deletions.map(\.names))
      let rest = Sample.catalog(
        history.catalog.entries.filter { !gone.contains($0.names) },
        leftovers: history.catalog.leftovers.filter { !gone.contains($0.names) })
      let again = try RetentionPlan(
        rest, policy: history.policy, now: history.now, pinned: history.pinned)
      #expect(again.deletions.isEmpty, "seed \(seed)")
    }
  }

  /// More generous numbers never delete what smaller ones keep.
  @Test func keepingMoreDeletesLess() throws {
    for seed in 0..<400 {
      let history = try Self.history(UInt64(seed))
      var generous = history.policy
      generous.keepDays += 10
      generous.keepLast += 2
      generous.keepMonthly += 1
      let strict = try? RetentionPlan(
        history.catalog, policy: history.policy, now: history.now, pinned: history.pinned)
      let loose = try? RetentionPlan(
        history.catalog, policy: generous, now: history.now, pinned: history.pinned)
      // A database that is held for its age under the strict policy may be pruned under a looser.
      guard let strict, let loose, strict.warnings.isEmpty else { continue }
      let gone = Set(strict.deletions.map(\.names))
      #expect(loose.deletions.allSatisfy { gone.contains($0.names) }, "seed \(seed)")
    }
  }
}
