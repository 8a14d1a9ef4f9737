import ObjectStore
import Repository
import Testing

@Suite struct RetentionPlanTests {
  private let now = Sample.time.adding(days: 400)

  private func daily(_ ages: some Sequence<Int>) throws -> [CatalogEntry] {
    try ages.map { try Sample.entry(at: now.adding(days: -$0)) }
  }

  private func kept(_ entries: [CatalogEntry], _ policy: RetentionPolicy) throws -> [Int] {
    let plan = try RetentionPlan(Sample.catalog(entries), policy: policy, now: now)
    return plan.lines.filter { !$0.isDeleted }
      .map { Int(now.seconds(since: $0.names.id.time) / 86400) }.reversed()
  }

  @Test func keepsThirtyDays() throws {
    #expect(try kept(daily(1...40), RetentionPolicy()) == Array(1...30))
  }

  @Test func keepsTheLast() throws {
    let policy = RetentionPolicy(keepDays: 0, keepLast: 3)
    #expect(try kept(daily([2, 10, 50, 51, 300]), policy) == [2, 10, 50])
  }

  @Test func keepsTheNewestOfPeriods() throws {
    let twice =
      try daily(1...9)
      + daily(1...9).map { entry in
        try Sample.entry(at: entry.id.time.adding(seconds: -3600))
      }
    #expect(try kept(twice, RetentionPolicy(keepDays: 0, keepDaily: 3)) == [1, 2, 3])
    // now is Monday 2027-12-27 02:00.
    #expect(try kept(daily(1...30), RetentionPolicy(keepDays: 0, keepWeekly: 3)) == [1, 8, 15])
    #expect(try kept(daily(1...70), RetentionPolicy(keepDays: 0, keepMonthly: 3)) == [1, 27, 57])
    #expect(
      try kept(daily([3, 200, 370, 380, 390]), RetentionPolicy(keepDays: 0, keepYearly: 9))
        == [3, 370])
  }

  @Test func rulesAddUp() throws {
    let policy = RetentionPolicy(keepDays: 2, keepLast: 4, keepMonthly: 2)
    #expect(try kept(daily(1...60), policy) == [1, 2, 3, 4, 27])
  }

  @Test func refusesAPolicyThatKeepsNothing() throws {
    let catalog = Sample.catalog(try daily([1]))
    for policy in [RetentionPolicy(keepDays: 0), RetentionPolicy(keepDays: -1, keepLast: 2)] {
      #expect(code { _ = try RetentionPlan(catalog, policy: policy, now: now) } == .invalid)
    }
  }

  @Test func theNewestWholeBackupStaysWhenLaterOnesAreNot() throws {
    let whole = try Sample.entry(at: now.adding(days: -29))
    let older = try Sample.entry(at: now.adding(days: -40))
    let later = try (1...3).map {
      try Sample.entry(at: now.adding(days: -$0), partial: $0 == 1, problem: $0 > 1 ? "gone" : nil)
    }
    let plan = try RetentionPlan(
      Sample.catalog([whole, older] + later), policy: RetentionPolicy(keepDays: 30), now: now)
    #expect(plan.deletions.map(\.names) == [older.names])
    let tight = try RetentionPlan(
      Sample.catalog([whole, older] + later), policy: RetentionPolicy(keepDays: 0, keepLast: 1),
      now: now)
    #expect(tight.deletions.map(\.names) == [older.names])
  }

  @Test func theNewestVerifiedStays() throws {
    let entries = [
      try Sample.entry(at: now.adding(days: -90), proof: true),
      try Sample.entry(at: now.adding(days: -80), proof: true),
      try Sample.entry(at: now.adding(days: -70), proof: false),
      try Sample.entry(at: now.adding(days: -1)),
    ]
    let plan = try RetentionPlan(Sample.catalog(entries), policy: RetentionPolicy(), now: now)
    #expect(plan.deletions.map(\.names) == [entries[0].names, entries[2].names])
  }

  @Test func aDamagedNewestDoesNotReplaceASoundOne() throws {
    let entries = [
      try Sample.entry(at: now.adding(days: -90)), try Sample.entry(at: now.adding(days: -80)),
      try Sample.entry(at: now.adding(days: -1), proof: false),
    ]
    let plan = try RetentionPlan(Sample.catalog(entries), policy: RetentionPolicy(), now: now)
    #expect(plan.deletions.map(\.names) == [entries[0].names])
  }

  @Test func pinnedOnesStay() throws {
    let entries = try daily([1, 50, 60])
    let plan = try RetentionPlan(
      Sample.catalog(entries), policy: RetentionPolicy(), now: now, pinned: [entries[1].id])
    #expect(plan.deletions.map(\.names) == [entries[2].names])
  }

  @Test func whatIsNotKnownStays() throws {
    let names = try Sample.names(at: now.adding(days: -100))
    let newer = CatalogEntry(
      names: names, state: .newerFormat("written by a newer pgkeep"), stored: names.id.time,
      bytes: 5, dataKey: nil)
    let plan = try RetentionPlan(
      Sample.catalog([newer] + daily([1])), policy: RetentionPolicy(), now: now)
    #expect(plan.deletions.isEmpty)
    #expect(plan.lines.contains { $0.reason.contains("newer pgkeep") })
  }

  @Test func aBackupInTheFutureStopsIt() throws {
    let future = try Sample.entry(at: now.adding(seconds: 7200))
    let catalog = Sample.catalog(try daily(1...60) + [future])
    #expect(code { _ = try RetentionPlan(catalog, policy: RetentionPolicy(), now: now) } == .clock)
  }

  @Test func aClockThatJumpedAheadStopsIt() throws {
    let catalog = Sample.catalog(try daily(1...60))
    let jumped = now.adding(days: 365)
    #expect(
      code { _ = try RetentionPlan(catalog, policy: RetentionPolicy(), now: jumped) } == .clock)
  }

  @Test func aDatabaseWithoutNewBackupsIsHeld() throws {
    let old = try [50, 60].map { try Sample.entry("old", at: now.adding(days: -$0)) }
    let fresh = try daily([1, 50])
    let plan = try RetentionPlan(
      Sample.catalog(old + fresh), policy: RetentionPolicy(), now: now)
    #expect(plan.deletions.map(\.names) == [fresh[1].names])
    #expect(plan.warnings.count == 1)
    #expect(plan.warnings.first?.contains("nothing of old is deleted") == true)
  }

  @Test func leftoversGoAfterSevenDays() throws {
    func leftover(_ days: Int, _ kind: Leftover.Kind = .object) throws -> Leftover {
      let names = try Sample.names(at: now.adding(days: -days))
      return Leftover(
        names: names, key: names.dataKey(encrypted: false), kind: kind,
        modified: now.adding(days: -days).adding(seconds: -1), bytes: 10)
    }
    let leftovers = [try leftover(0), try leftover(6), try leftover(7), try leftover(30)]
    let plan = try RetentionPlan(
      Sample.catalog(daily([1]), leftovers: leftovers), policy: RetentionPolicy(), now: now)
    #expect(Set(plan.deletions.map(\.names)) == Set(leftovers.suffix(2).map(\.names)))
  }

  @Test func everyLineHasAReason() throws {
    let plan = try RetentionPlan(
      Sample.catalog(daily(1...60)), policy: RetentionPolicy(keepMonthly: 2), now: now)
    #expect(plan.lines.count == 60)
    #expect(plan.lines.allSatisfy { !$0.reason.isEmpty })
  }
}
