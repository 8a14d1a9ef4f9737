import ByteStream
import Postgres

/// Turns a catalog's objects into steps in an order that runs.
struct ScriptBuilder {
  private let catalog: SchemaCatalog
  private let options: ScriptOptions
  private let graph: DependencyGraph
  private let separated: Set<ObjectIdentity>
  private let needs: [[Int]]
  private let unbroken: [[Int]]

  init(_ catalog: SchemaCatalog, _ options: ScriptOptions) {
    self.catalog = catalog
    self.options = options
    let breaker = CircleBreaker(breaking: DependencyGraph(catalog))
    graph = breaker.graph
    unbroken = breaker.unbroken
    separated = graph.separated
    needs = graph.needs()
  }

  func script() -> SchemaScript {
    let rendered = rendered()
    let steps = graph.sorted(graph.nodes.indices.filter { rendered[$0]?.sql.isEmpty == false })
    let before = StepOrder.sorted(
      steps.filter { graph.nodes[$0].section == .preData }, needs: needs)
    let after = steps.filter { graph.nodes[$0].section == .postData }
    let main = after.filter { stage($0) == .main }
    let last = after.filter { stage($0) == .last }
    let refreshNeeds = last.isEmpty ? needs : needsOfRefreshes(last)
    let afterMain = StepOrder.sorted(main, needs: needs)
    let afterLast = StepOrder.sorted(last, needs: refreshNeeds)
    var postData = items(afterMain, rendered, needs, from: 0)
    if options.includesPrivileges {
      postData += privileges()
      let defaults = after.filter { stage($0) == .privileges }
      postData += items(defaults, rendered, needs, from: postData.count)
    }
    postData += items(afterLast, rendered, refreshNeeds, from: postData.count)
    return SchemaScript(
      preData: before.compactMap { rendered[$0] },
      postData: postData,
      circles: unbroken.map { $0.map(named) })
  }

  private func named(_ node: Int) -> SQLText {
    let object = catalog.objects[graph.nodes[node].object]
    let kind = SQLText(graph.nodes[node].kind.label)
    return object.schema.map { "\(kind) \($0).\(object.name)" } ?? "\(kind) \(object.name)"
  }

  /// The item of each step that is apart, put together by two threads where there are many.
  private func rendered() -> [SchemaItem?] {
    let nodes = graph.nodes.indices
    @Sendable func render(_ nodes: Range<Int>) -> [SchemaItem?] {
      nodes.map { graph.isApart($0) ? item($0) : nil }
    }
    guard nodes.count > 2000 else { return render(nodes) }
    let middle = nodes.count / 2
    let second = Monitor([SchemaItem?]?.none)
    JobThread.start("schema") {
      let items = render(middle..<nodes.count)
      second.update { $0 = items }
    }
    return render(0..<middle) + second.wait { $0 }
  }

  private func stage(_ node: Int) -> SchemaItem.Stage {
    catalog.objects[graph.nodes[node].object].stage
  }

  /// Items with their needs among each other as positions, the first of which is `start`.
  private func items(
    _ steps: [Int], _ rendered: [SchemaItem?], _ needs: [[Int]], from start: Int
  ) -> [SchemaItem] {
    var positions: [Int: Int] = [:]
    for (position, step) in steps.enumerated() { positions[step] = start + position }
    return steps.compactMap { step in
      guard var item = rendered[step] else { return nil }
      item.dependencies = needs[step].compactMap { positions[$0] }.sorted()
      return item
    }
  }

  /// A materialized view is refreshed after those that its query reads, be it through views.
  private func needsOfRefreshes(_ steps: [Int]) -> [[Int]] {
    var refreshOf: [Int: Int] = [:]
    for step in steps where graph.nodes[step].kind == .materializedViewRefresh {
      let view = ObjectIdentity(.relation, graph.identities[step].oid)
      if let node = graph.index(of: view) { refreshOf[node] = step }
    }
    var all = [[Int]](repeating: [], count: graph.nodes.count)
    for step in steps { all[step] = needs[step] }
    for (view, step) in refreshOf {
      var seen: Set<Int> = [view]
      var open = [view]
      while let node = open.popLast() {
        for need in queryNeeds(node) where seen.insert(need).inserted {
          if let other = refreshOf[need] { all[step].append(other) }
          open.append(need)
        }
      }
      all[step].sort()
    }
    return all
  }

  /// What a relation's query needs, also where the query is made apart.
  private func queryNeeds(_ node: Int) -> [Int] {
    guard node + 1 < graph.nodes.count, graph.nodes[node].kind == .view,
      graph.nodes[node + 1].kind == .viewDefinition, graph.isApart(node + 1)
    else { return needs[node] }
    return needs[node] + needs[node + 1]
  }

  private func item(_ step: Int) -> SchemaItem {
    item(step, graph.nodes[step], catalog.objects[graph.nodes[step].object])
  }

  private func item(
    _ step: Int, _ node: DependencyGraph.Node, _ object: SchemaObject
  ) -> SchemaItem {
    var sql: SQLText
    if graph.isShell(step) {
      sql = "CREATE TYPE \(SQLText.qualified(object.schema ?? "", object.name));\n"
    } else if graph.isStub(step) {
      sql = object.stub ?? ""
    } else if let part = node.part {
      sql = object.parts[part].sql + comments(object.parts[part])
    } else {
      sql = whole(object, replacing: graph.hasStub(step))
    }
    return SchemaItem(
      kind: node.kind, schema: object.schema, name: graph.sortKeys[step].name,
      owner: options.includesOwners ? object.owner : nil, sql: ArrayCasts.kept(sql),
      stage: object.stage,
      locks: locks(object, node), dependencies: [])
  }

  private func locks(_ object: SchemaObject, _ node: DependencyGraph.Node) -> [SchemaItem.Lock] {
    guard node.part != nil, node.section == .postData else { return object.locks }
    return object.tables.map { SchemaItem.Lock(table: $0, isShared: false) }
  }

  /// - Parameter isReplacing: whether a stub of the object is there already.
  private func whole(_ object: SchemaObject, replacing isReplacing: Bool) -> SQLText {
    var sql = object.definition.sql(without: separated)
    let create: SQLText = "CREATE "
    if isReplacing, sql.hasPrefix(create) {
      sql = "CREATE OR REPLACE " + SQLText(bytes: sql.bytes[create.bytes.count...])
    }
    if options.includesOwners, let target = object.ownerTarget, let owner = object.owner {
      sql += "ALTER \(target) OWNER TO \(owner.quotedIdentifier);\n"
    }
    if let target = object.commentTarget {
      if object.losesComment { sql += "COMMENT ON \(target) IS NULL;\n" }
      sql += catalog.comments.sql(
        on: object.commentIdentity ?? object.identity, target: target,
        column: { number in
          object.columnNames[number].map {
            "COLUMN \(object.columnPrefix).\($0.quotedIdentifier)"
          }
        })
    }
    if let relation = object.columnCommentIdentity {
      sql += catalog.comments.sql(
        on: relation, target: "",
        column: { number in
          object.columnNames[number].map {
            "COLUMN \(object.columnPrefix).\($0.quotedIdentifier)"
          }
        })
    }
    for part in object.parts where !isApart(part) { sql += comments(part) }
    return sql
  }

  private func isApart(_ part: SchemaObject.Part) -> Bool { separated.contains(part.identity) }

  private func comments(_ part: SchemaObject.Part) -> SQLText {
    guard let target = part.commentTarget else { return "" }
    return catalog.comments.sql(on: part.identity, target: target)
  }

  /// Grants come last, since they may take from owners what the steps before need.
  private func privileges() -> [SchemaItem] {
    let version = catalog.serverVersion / 10_000
    var order = NameOrder()
    var items: [SchemaItem] = []
    for object in catalog.objects {
      guard let sql = object.privileges?.sql(version: version), !sql.isEmpty else { continue }
      order.append(object.kind, object.schema ?? SQLText(), object.name)
      items.append(
        SchemaItem(
          kind: .privileges, schema: object.schema, name: object.name, owner: object.owner,
          sql: sql, stage: .privileges,
          locks: object.tables.map { SchemaItem.Lock(table: $0, isShared: false) },
          dependencies: []))
    }
    return order.positions().map { items[$0] }
  }
}
