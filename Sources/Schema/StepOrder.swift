/// An order of steps in which each comes after what it needs, and otherwise by rank.
enum StepOrder {
  /// - Parameters:
  ///   - steps: what to order, by rank: the first goes first where needs allow.
  ///   - needs: for each step, the steps that it needs; those not in `steps` do not count.
  static func sorted(_ steps: [Int], needs: [[Int]]) -> [Int] {
    var rank = [Int](repeating: -1, count: needs.count)
    for (position, step) in steps.enumerated() { rank[step] = position }
    var open = [Int](repeating: 0, count: steps.count)
    var users = [[Int]](repeating: [], count: steps.count)
    for (position, step) in steps.enumerated() {
      for need in needs[step] where rank[need] >= 0 {
        open[position] += 1
        users[rank[need]].append(position)
      }
    }
    var ready = RankHeap()
    for position in steps.indices where open[position] == 0 { ready.insert(position) }
    var order: [Int] = []
    order.reserveCapacity(steps.count)
    while let position = ready.popFirst() {
      order.append(steps[position])
      for user in users[position] {
        open[user] -= 1
        if open[user] == 0 { ready.insert(user) }
      }
    }
    return order
  }
}

/// A binary heap of numbers, the smallest first.
struct RankHeap {
  private var items: [Int] = []

  mutating func insert(_ item: Int) {
    items.append(item)
    var child = items.count - 1
    while child > 0, items[child] < items[(child - 1) / 2] {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func popFirst() -> Int? {
    guard let first = items.first else { return nil }
    let last = items.removeLast()
    guard !items.isEmpty else { return first }
    items[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < items.count else { return first }
      if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
      guard items[child] < items[parent] else { return first }
      items.swapAt(parent, child)
      parent = child
    }
  }
}
