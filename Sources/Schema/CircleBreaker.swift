/// Makes a graph of needs one that can be ordered.
///
/// First, what comes before the rows must not need what comes after them; then circles are broken
/// where a part of an object can be made apart: a default, a check constraint, the shell of a type,
/// the query of a view, the signature of a function.
struct CircleBreaker {
  private(set) var graph: DependencyGraph
  /// Circles that nothing made apart could break: there is no order in which they can be made.
  private(set) var unbroken: [[Int]] = []

  init(breaking graph: DependencyGraph) {
    self.graph = graph
    respectRows()
    breakCircles()
  }

  /// A view grouped by a primary key needs the key, which is made after the rows: the view's query
  /// goes there too, and what has no such part goes whole.
  private mutating func respectRows() {
    var changed = true
    while changed {
      changed = false
      for (from, to) in graph.detailedEdges {
        let step = graph.home[from]
        guard graph.nodes[step].section == .preData,
          graph.nodes[graph.home[to]].section == .postData
        else { continue }
        if step != from, isSeparable(from) {
          graph.separate(from)
        } else if graph.nodes[step].kind == .table {
          // A generated column, say. Rows come before what it needs, so that there is no order.
          unbroken.append([step, graph.home[to]])
          graph.replaceEdges { $0 == (from, to) ? nil : $0 }
          continue
        }
        graph.move(graph.home[from], to: .postData)
        changed = true
      }
    }
  }

  private mutating func breakCircles() {
    // Each round makes at least one part apart or removes an edge, so that this ends.
    while true {
      let circles = StronglyConnected.circles(graph.needs())
      if circles.isEmpty { return }
      for circle in circles { breakCircle(Set(circle)) }
    }
  }

  private mutating func breakCircle(_ circle: Set<Int>) {
    let within = graph.detailedEdges.filter { edge in
      let (from, to) = (graph.home[edge.from], graph.home[edge.to])
      return from != to && circle.contains(from) && circle.contains(to)
    }
    for kind in [ObjectKind.columnDefault, .checkConstraint, .domainConstraint] {
      let parts = Set(within.map(\.from)).filter { graph.nodes[$0].kind == kind && isSeparable($0) }
      guard parts.isEmpty else {
        for part in parts { graph.separate(part) }
        return
      }
    }
    if makeShells(circle) { return }
    let views = Set(within.map(\.from)).filter {
      graph.nodes[$0].kind == .viewDefinition && isSeparable($0)
    }
    if let view = views.min(by: { graph.sortKeys[$0] < graph.sortKeys[$1] }) {
      graph.separate(view)
      return
    }
    if makeStub(circle) { return }
    unbroken.append(circle.sorted())
    graph.replaceEdges { edge in within.contains { $0 == edge } ? nil : edge }
  }

  /// A function whose body or defaults need what needs the function: others get along with its
  /// signature.
  private mutating func makeStub(_ circle: Set<Int>) -> Bool {
    let functions = circle.filter { !graph.hasStub($0) && graph.nodes[$0].kind.isRoutine }
    for function in functions.sorted(by: { graph.isBefore($0, $1) }) {
      guard let stub = graph.addStub(of: function) else { continue }
      let homes = graph.home
      graph.replaceEdges { edge in
        edge.to == function && circle.contains(homes[edge.from]) ? (edge.from, stub) : edge
      }
      return true
    }
    return false
  }

  private func isSeparable(_ node: Int) -> Bool {
    graph.nodes[node].part != nil && !graph.isApart(node) && !graph.isFixed(node)
  }

  /// Functions that a type is made with take or return it: they get along with its shell.
  private mutating func makeShells(_ circle: Set<Int>) -> Bool {
    var made = false
    for node in circle.sorted() where !graph.hasShell(node) {
      guard graph.nodes[node].kind == .baseType || graph.nodes[node].kind == .rangeType else {
        continue
      }
      let shell = graph.addShell(of: node)
      let homes = graph.home
      let kinds = graph.nodes.map(\.kind)
      graph.replaceEdges { edge in
        let isUser =
          edge.to == node && circle.contains(homes[edge.from])
          && [.function, .procedure, .aggregate].contains(kinds[edge.from])
        return isUser ? (edge.from, shell) : edge
      }
      graph.appendEdge(from: node, to: shell)
      made = true
    }
    return made
  }
}
