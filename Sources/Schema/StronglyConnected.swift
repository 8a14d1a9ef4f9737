/// Circles in a graph: Tarjan's algorithm, without recursion, for graphs of any depth.
enum StronglyConnected {
  /// Groups of two and more nodes that all reach each other.
  static func circles(_ edges: [[Int]]) -> [[Int]] {
    var index = [Int](repeating: -1, count: edges.count)
    var low = index
    var onStack = [Bool](repeating: false, count: edges.count)
    var stack: [Int] = []
    var counter = 0
    var circles: [[Int]] = []
    for root in edges.indices where index[root] < 0 {
      var calls: [(node: Int, next: Int)] = [(root, 0)]
      while let (node, next) = calls.last {
        if next == 0 {
          index[node] = counter
          low[node] = counter
          counter += 1
          stack.append(node)
          onStack[node] = true
        }
        if next < edges[node].count {
          calls[calls.count - 1].next += 1
          let target = edges[node][next]
          if index[target] < 0 {
            calls.append((target, 0))
          } else if onStack[target] {
            low[node] = min(low[node], index[target])
          }
          continue
        }
        calls.removeLast()
        if let caller = calls.last?.node { low[caller] = min(low[caller], low[node]) }
        guard low[node] == index[node] else { continue }
        var circle: [Int] = []
        while let member = stack.popLast() {
          onStack[member] = false
          circle.append(member)
          if member == node { break }
        }
        if circle.count > 1 { circles.append(circle.sorted()) }
      }
    }
    return circles
  }
}
