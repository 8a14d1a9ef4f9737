/// Which step of the post-data may run next, when several connections work on it.
///
/// No I/O: it is asked and told. A step runs when all steps of earlier stages and those it depends
/// on are done, and no step that runs holds a lock that it would wait for.
struct PostDataSchedule {
  private struct Held {
    var exclusive = 0
    var shared = 0

    mutating func add(_ lock: ItemRecord.Lock, _ count: Int) {
      if lock.isShared { shared += count } else { exclusive += count }
    }
  }

  private let items: [ItemRecord]
  private var waitingFor: [Int]
  private var dependents: [[Int]]
  /// Items whose dependencies are done, by stage, in the file's order turned round: the next is
  /// the last.
  private var ready: [Int: [Int]] = [:]
  /// How many items of each stage are not done.
  private var left: [Int: Int] = [:]
  private var held: [Int: Held] = [:]
  private(set) var running = 0

  /// How many ready items to look at for one whose locks are free.
  private static let lookAhead = 500

  /// - Parameter items: with the numbers 1, 2, …, as an index holds them.
  init(_ items: [ItemRecord]) {
    self.items = items
    waitingFor = items.map(\.dependencies.count)
    dependents = Array(repeating: [], count: items.count)
    for (index, item) in items.enumerated() {
      left[item.stage, default: 0] += 1
      for dependency in item.dependencies { dependents[dependency - 1].append(index) }
    }
    for index in items.indices.reversed() where items[index].dependencies.isEmpty {
      ready[items[index].stage, default: []].append(index)
    }
  }

  var isDone: Bool { left.isEmpty }

  /// Takes the next item that can run now; nil when there is none at the moment.
  mutating func take() -> ItemRecord? {
    guard let stage = left.keys.min(), let position = runnable(stage),
      let index = ready[stage]?.remove(at: position)
    else { return nil }
    for lock in items[index].locks { held[lock.table, default: Held()].add(lock, 1) }
    running += 1
    return items[index]
  }

  /// Where in the list of a stage's ready items the first is whose locks are free.
  private func runnable(_ stage: Int) -> Int? {
    guard let candidates = ready[stage] else { return nil }
    return candidates.indices.suffix(Self.lookAhead).last { position in
      items[candidates[position]].locks.allSatisfy(isFree)
    }
  }

  /// Notes that an item taken has been run.
  mutating func finish(_ item: ItemRecord) {
    running -= 1
    for lock in item.locks {
      held[lock.table]?.add(lock, -1)
      if let now = held[lock.table], now.exclusive == 0, now.shared == 0 { held[lock.table] = nil }
    }
    left[item.stage, default: 0] -= 1
    if left[item.stage] == 0 { left[item.stage] = nil }
    for dependent in dependents[item.number - 1] {
      waitingFor[dependent] -= 1
      guard waitingFor[dependent] == 0 else { continue }
      insert(dependent)
    }
  }

  private mutating func insert(_ index: Int) {
    let stage = items[index].stage
    let list = ready[stage] ?? []
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle] > index { low = middle + 1 } else { high = middle }
    }
    ready[stage, default: []].insert(index, at: low)
  }

  /// Whether nothing can ever run again, although there is something left: dependencies in a
  /// circle, or on a later stage.
  var isStuck: Bool {
    guard !isDone, running == 0 else { return false }
    var copy = self
    return copy.take() == nil
  }

  private func isFree(_ lock: ItemRecord.Lock) -> Bool {
    guard let held = held[lock.table] else { return true }
    return lock.isShared && held.exclusive == 0
  }
}
