import Postgres

/// What is made in one step, and which steps must come before.
///
/// Each object is a node, and each of its parts another one that lies within the object's own
/// until a circle is broken by making the part apart.
struct DependencyGraph {
  struct Node {
    /// The object's position.
    var object: Int
    /// The part's position within the object, nil for the object itself.
    var part: Int?
    /// Whether the part can only stand within the object.
    var isFixed = false
    var section: SchemaObject.Section
    var kind: ObjectKind
  }

  /// Names decide where needs do not.
  struct SortKey: Comparable {
    var kind: ObjectKind
    var schema: SQLText
    var name: SQLText

    static func < (left: SortKey, right: SortKey) -> Bool {
      if left.kind != right.kind { return left.kind < right.kind }
      if left.schema != right.schema { return left.schema < right.schema }
      return left.name < right.name
    }
  }

  private(set) var nodes: [Node] = []
  /// The nodes' places where needs do not decide.
  private(set) var sortKeys: [SortKey] = []
  /// The nodes' identities; `index(of:)` finds through aliases.
  private(set) var identities: [ObjectIdentity] = []
  /// Where a node's statements stand: its own position, or that of the object that it is within.
  private(set) var home: [Int] = []
  /// Needs between nodes, before parts are looked at.
  private var edges: [(from: Int, to: Int)] = []
  /// Shells by their types.
  private var shells: [Int: Int] = [:]
  /// Stubs by their functions.
  private var stubs: [Int: Int] = [:]
  /// What a function's signature names: what its stub needs.
  private var signatureNeeds: [Int: Set<Int>] = [:]
  /// For objects with a part that has their needs: it, and what they keep.
  private var kept: [Int: (part: Int, needs: Set<ObjectIdentity>)] = [:]
  /// The node of each object's schema.
  private var schemas: [Int: Int] = [:]
  private var positions: [ObjectIdentity: Int] = [:]
  private let aliases: [ObjectIdentity: ObjectIdentity]

  init(_ catalog: SchemaCatalog) {
    aliases = catalog.aliases
    positions.reserveCapacity(catalog.objects.count * 2)
    edges.reserveCapacity(catalog.dependencies.count + catalog.objects.count)
    for (number, object) in catalog.objects.enumerated() {
      let whole = nodes.count
      add(
        Node(object: number, part: nil, section: object.section, kind: object.kind),
        SortKey(kind: object.kind, schema: object.schema ?? SQLText(), name: object.name),
        object.identity, home: whole)
      for (part, description) in object.parts.enumerated() {
        let position = nodes.count
        add(
          Node(
            object: number, part: part, isFixed: description.isFixed,
            section: description.section, kind: description.kind),
          SortKey(
            kind: description.kind, schema: object.schema ?? SQLText(), name: description.name),
          description.identity, home: description.isAlwaysApart ? position : whole)
        edges.append((position, whole))
        if let needs = description.takesNeedsBut { kept[whole] = (position, needs) }
      }
    }
    addEdges(catalog)
  }

  private mutating func add(
    _ node: Node, _ sortKey: SortKey, _ identity: ObjectIdentity, home: Int
  ) {
    positions[identity] = nodes.count
    nodes.append(node)
    sortKeys.append(sortKey)
    identities.append(identity)
    self.home.append(home)
  }

  private mutating func addEdges(_ catalog: SchemaCatalog) {
    for object in catalog.objects {
      guard !object.needs.isEmpty, let from = positions[object.identity] else { continue }
      for needed in object.needs { addEdge(from, index(of: needed)) }
    }
    for dependency in catalog.dependencies {
      guard let from = index(of: dependency.dependent), let to = index(of: dependency.needed)
      else { continue }
      // A sequence's ownership by a column is a step of its own.
      if let owner = catalog.objects[nodes[from].object].ownedBy, owner == identities[to] {
        continue
      }
      // What an extension's member needs is no need of the extension, which brings its members:
      // somebody replaced the member, or made it one afterwards.
      if nodes[from].kind == .extension, dependency.dependent.catalog != .extension { continue }
      if identities[to].catalog == .schema { schemas[nodes[from].object] = to }
      if nodes[from].kind.isRoutine,
        [.type, .schema, .language].contains(dependency.needed.catalog)
      {
        signatureNeeds[from, default: []].insert(to)
      }
      addEdge(part(of: from, with: dependency.needed) ?? from, to)
    }
  }

  /// The part that needs what the server tells as a need of its object.
  private func part(of node: Int, with needed: ObjectIdentity) -> Int? {
    guard nodes[node].part == nil, let kept = kept[node] else { return nil }
    return kept.needs.contains(needed) || [.schema, .collation].contains(needed.catalog)
      ? nil : kept.part
  }

  private mutating func addEdge(_ from: Int, _ to: Int?) {
    guard let to, to != from else { return }
    edges.append((from, to))
  }

  /// The node that makes what `identity` names; nil for what no node makes.
  func index(of identity: ObjectIdentity) -> Int? {
    var identity = identity
    // A chain of aliases is short: array of a multirange, multirange, range, extension.
    for _ in 0..<8 {
      if let position = positions[identity] { return position }
      guard let next = aliases[identity] else { return nil }
      identity = next
    }
    return nil
  }

  /// Whether a node goes first where needs do not decide.
  func isBefore(_ left: Int, _ right: Int) -> Bool { sortKeys[left] < sortKeys[right] }

  /// Nodes in the order in which they go where needs do not decide.
  func sorted(_ nodes: [Int]) -> [Int] {
    var order = NameOrder()
    for node in nodes {
      order.append(sortKeys[node].kind, sortKeys[node].schema, sortKeys[node].name)
    }
    return order.positions().map { nodes[$0] }
  }

  /// Whether the node is a step of its own.
  func isApart(_ node: Int) -> Bool { home[node] == node }

  /// The identities of parts that are made apart from their object.
  var separated: Set<ObjectIdentity> {
    Set(nodes.indices.filter { nodes[$0].part != nil && isApart($0) }.map { identities[$0] })
  }

  mutating func separate(_ node: Int) { home[node] = node }
  mutating func move(_ node: Int, to section: SchemaObject.Section) {
    nodes[node].section = section
  }
  func isFixed(_ node: Int) -> Bool { nodes[node].isFixed }

  /// The shell of a type: its name alone, which functions can use before the type is made.
  mutating func addShell(of type: Int) -> Int {
    var node = nodes[type]
    node.kind = .shellType
    var sortKey = sortKeys[type]
    sortKey.kind = .shellType
    shells[type] = nodes.count
    add(
      node, sortKey, ObjectIdentity(.type, identities[type].oid, column: -1), home: nodes.count)
    if let schema = schemas[nodes[type].object] { addEdge(nodes.count - 1, schema) }
    return nodes.count - 1
  }
  /// The stub of a function: its signature without defaults and with no body, which others can
  /// name before the function itself is made in its place.
  ///
  /// - Returns: nil for what can have none, or has it.
  mutating func addStub(of function: Int) -> Int? {
    guard nodes[function].kind.isRoutine, !isStub(function), stubs[function] == nil
    else { return nil }
    let node = nodes[function]
    let stub = nodes.count
    stubs[function] = stub
    add(
      node, sortKeys[function],
      ObjectIdentity(.procedure, identities[function].oid, column: -1), home: stub)
    let signature = signatureNeeds[function] ?? []
    let needed = edges.filter {
      $0.from == function && (signature.contains($0.to) || isShell($0.to))
    }
    for edge in needed { addEdge(stub, edge.to) }
    addEdge(function, stub)
    return stub
  }
  func hasStub(_ function: Int) -> Bool { stubs[function] != nil }
  func isStub(_ node: Int) -> Bool { nodes[node].kind.isRoutine && identities[node].column != 0 }

  func hasShell(_ type: Int) -> Bool { shells[type] != nil }
  func isShell(_ node: Int) -> Bool {
    nodes[node].kind == .shellType && identities[node].column != 0
  }

  mutating func replaceEdges(_ transform: ((from: Int, to: Int)) -> (from: Int, to: Int)?) {
    edges = edges.compactMap(transform)
  }
  mutating func appendEdge(from: Int, to: Int) { addEdge(from, to) }

  /// All needs, with the parts between which they are.
  var detailedEdges: [(from: Int, to: Int)] { edges }

  /// For each step the steps that it needs, without doubles.
  func needs() -> [[Int]] {
    var needs = [[Int]](repeating: [], count: nodes.count)
    for (from, to) in edges where home[from] != home[to] { needs[home[from]].append(home[to]) }
    for index in needs.indices where needs[index].count > 1 { needs[index].sortWithoutDoubles() }
    return needs
  }
}

extension [Int] {
  /// Most lists are of a few numbers, where a set would be more work than the sorting.
  fileprivate mutating func sortWithoutDoubles() {
    sort()
    var count = 1
    for position in 1..<self.count where self[position] != self[count - 1] {
      self[count] = self[position]
      count += 1
    }
    removeLast(self.count - count)
  }
}
