import Postgres
import Testing

@testable import LogicalBackup

@Suite struct PostDataScheduleTests {
  private func item(
    _ number: Int, stage: Int = 0, after: [Int] = [], locks: [Int] = [], shared: [Int] = []
  ) -> ItemRecord {
    ItemRecord(
      number: number, kind: "INDEX", schema: "s", name: "n", stage: stage, dependencies: after,
      locks: locks.map { .init(table: $0, isShared: false) }
        + shared.map { .init(table: $0, isShared: true) }, member: 0, start: 0, length: 0)
  }

  @Test func sharedLocksGoTogetherExclusiveOnesDoNot() {
    var schedule = PostDataSchedule([
      item(1, shared: [7]), item(2, shared: [7]), item(3, locks: [7, 8]), item(4, locks: [9, 8]),
      item(5, locks: [8]),
    ])
    let first = schedule.take()
    let second = schedule.take()
    #expect(first?.number == 1)
    #expect(second?.number == 2)
    // 3 waits for the indexes on 7; 4 may go, and then holds 8.
    let third = schedule.take()
    #expect(third?.number == 4)
    #expect(schedule.take() == nil)
    #expect(!schedule.isStuck)
    schedule.finish(item(1, shared: [7]))
    #expect(schedule.take() == nil)
    schedule.finish(item(4, locks: [9, 8]))
    #expect(schedule.take()?.number == 5)
  }

  @Test func dependenciesAndStagesComeFirst() {
    let items = [
      item(1, after: [2]), item(2), item(3, stage: 1), item(4, stage: 1, after: [1]),
    ]
    var schedule = PostDataSchedule(items)
    #expect(schedule.take()?.number == 2)
    #expect(schedule.take() == nil)
    schedule.finish(items[1])
    #expect(schedule.take()?.number == 1)
    #expect(schedule.take() == nil)
    schedule.finish(items[0])
    #expect(schedule.take()?.number == 3)
    #expect(schedule.take()?.number == 4)
    schedule.finish(items[2])
    #expect(!schedule.isDone)
    schedule.finish(items[3])
    #expect(schedule.isDone)
  }

  @Test func circlesAreNoticed() {
    let circle = PostDataSchedule([item(1, after: [2]), item(2, after: [1])])
    #expect(circle.isStuck)
    // On something of a later stage, which never gets its turn.
    #expect(PostDataSchedule([item(1, after: [2]), item(2, stage: 1)]).isStuck)
    #expect(!PostDataSchedule([]).isStuck)
    #expect(PostDataSchedule([]).isDone)
  }

  /// Any order of finishing: everything runs once, after what it depends on, and never beside a
  /// lock that it would wait for.
  @Test func anyOrderOfFinishingRunsEverythingOnce() {
    for seed in UInt64(1)...200 {
      var generator = SystemRandomNumberGenerator()
      let count = Int.random(in: 1...40, using: &generator)
      let items = (1...count).map { number in
        item(
          number, stage: number * 3 / (count + 1),
          after: (0..<Int.random(in: 0...2)).compactMap { _ in
            number > 1 ? Int.random(in: 1..<number) : nil
          }, locks: Int.random(in: 0...2) == 0 ? [Int.random(in: 1...4)] : [],
          shared: [Int.random(in: 5...8)])
      }
      var schedule = PostDataSchedule(items)
      var running: [ItemRecord] = []
      var done: Set<Int> = []
      while !schedule.isDone {
        if Bool.random(), let next = schedule.take() {
          #expect(next.dependencies.allSatisfy(done.contains))
          let held = running.flatMap(\.locks)
          #expect(
            next.locks.allSatisfy { lock in
              held.allSatisfy { $0.table != lock.table || $0.isShared && lock.isShared }
            })
          running.append(next)
        } else if let index = running.indices.randomElement() {
          let finished = running.remove(at: index)
          #expect(done.insert(finished.number).inserted)
          schedule.finish(finished)
        } else {
          #expect(!schedule.isStuck, "round \(seed)")
          if schedule.isStuck { return }
        }
      }
      #expect(done.count == count)
    }
  }
}
