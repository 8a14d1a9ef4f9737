import Postgres

/// Tables, foreign tables, views and materialized views: what `pg_class` and `pg_attribute` tell.
enum Relations {
  /// All that tables need to know of each other.
  struct Context {
    var columns: [UInt32: [TableColumn]]
    var relations: [UInt32: RelationRow]
    /// Parents by child, in the order of their declaration.
    var parents: [UInt32: [UInt32]]
    var checks: [UInt32: [CheckRow]]
    /// Tables that a table's foreign keys point to.
    var references: [UInt32: [UInt32]]
    /// Views whose queries read the view itself.
    var selfReading: Set<UInt32>
  }

  struct CheckRow {
    var identity: ObjectIdentity
    var name: SQLText
    var isLocal: Bool
    var isValid: Bool
    var definition: SQLText
  }

  /// Makes objects of what was read, which belongs together only now.
  static func addObjects(to contents: inout KindContents) {
    let facts = contents.relations
    let rows = facts.rows.sorted(bySchema: \.schema, name: \.name)
    let context = Context(
      columns: SharedNames.marked(facts, rows),
      relations: Dictionary(rows.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first }),
      parents: facts.parents, checks: facts.checks, references: facts.references,
      selfReading: facts.selfReading)
    for row in rows {
      if row.kind == "r", !row.isInExtension || row.extensionCondition != nil {
        contents.tables.append(Tables.data(row, context))
      }
      guard !row.isInExtension else { continue }
      switch row.kind {
      case "v": contents.objects += Views.objects(row, context)
      case "m": contents.objects += MaterializedViews.objects(row, context)
      default: contents.objects += Tables.objects(row, context)
      }
    }
    for (rule, relation) in facts.queries {
      let isView = context.relations[relation]?.kind == "v"
      contents.aliases[ObjectIdentity(.rule, rule)] = ObjectIdentity(
        .relation, relation, column: isView ? SchemaObject.query : 0)
    }
  }
}
