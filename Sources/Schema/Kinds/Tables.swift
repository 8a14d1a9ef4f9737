import Postgres

/// `CREATE TABLE`, `CREATE FOREIGN TABLE` and `ATTACH PARTITION`.
enum Tables {
  static func data(_ row: RelationRow, _ context: Relations.Context) -> TableData {
    let columns = context.columns[row.oid] ?? []
    return TableData(
      oid: row.oid, schema: row.schema, name: row.name,
      columns: columns.filter { !$0.isGenerated }.map(\.name), pages: row.pages,
      estimatedRows: row.estimatedRows, isUnlogged: row.isUnlogged,
      hasRowSecurity: row.hasRowSecurity, extensionCondition: row.extensionCondition,
      references: context.references[row.oid] ?? [], isHeap: row.accessMethod == "heap")
  }

  static func objects(_ row: RelationRow, _ context: Relations.Context) -> [SchemaObject] {
    let inheritsLater = keepsOrderApart(row, context)
    let columns =
      inheritsLater
      ? context.columns[row.oid] ?? [] : settled(context.columns[row.oid] ?? [], row, context)
    let checks = (context.checks[row.oid] ?? []).filter { $0.isLocal || row.isPartition }
    var definition = TableDefinition(
      name: row.qualifiedName, keyword: keyword(row), typeName: row.typeName, columns: columns,
      isPartition: row.isPartition)
    definition.bareName = row.name
    definition.checks = checks.filter(\.isValid).map {
      TableDefinition.Check(
        identity: $0.identity, clause: "CONSTRAINT \($0.name.quotedIdentifier) \($0.definition)")
    }
    definition.notNulls = columns.filter { !definition.isDeclared($0) }.compactMap { column in
      guard let constraint = column.notNull, constraint.isLocal, constraint.isValid else {
        return nil
      }
      return "CONSTRAINT \(constraint.name.quotedIdentifier) NOT NULL "
        + column.name.quotedIdentifier + (constraint.isNoInherit ? " NO INHERIT" : "")
    }
    let parents = (context.parents[row.oid] ?? []).compactMap { context.relations[$0] }
    definition.clauses = clauses(row, row.isPartition || inheritsLater ? [] : parents)
    if inheritsLater {
      for parent in parents {
        definition.alterations +=
          "ALTER TABLE \(row.qualifiedName) INHERIT \(parent.qualifiedName);\n"
      }
    }
    definition.alterations += alterations(row, columns, definition)
    var object = row.object(row.kind == "f" ? .foreignTable : .table, columns, definition)
    object.parts = parts(row, columns, checks, definition)
    var objects = [object]
    if row.isPartition, let parent = parents.first, let bound = row.partitionBound {
      objects.append(attachment(row, parent, bound))
    }
    if row.hasRowSecurity || row.forcesRowSecurity { objects.append(rowSecurity(row)) }
    return objects
  }

  private static func keyword(_ row: RelationRow) -> SQLText {
    if row.kind == "f" { return "FOREIGN TABLE" }
    return row.isUnlogged ? "UNLOGGED TABLE" : "TABLE"
  }

  private static func clauses(_ row: RelationRow, _ parents: [RelationRow]) -> [SQLText] {
    var clauses: [SQLText] = []
    if !parents.isEmpty {
      clauses.append("INHERITS (\(parents.map(\.qualifiedName).joined(separator: ", ")))")
    }
    if let key = row.partitionKey { clauses.append("PARTITION BY \(key)") }
    if let server = row.server {
      clauses.append("SERVER \(server.quotedIdentifier)")
      if !row.foreignOptions.isEmpty {
        clauses.append("OPTIONS (\(OptionList.foreign(row.foreignOptions)))")
      }
    }
    if let method = row.accessMethod, method != "heap" {
      clauses.append("USING \(method.quotedIdentifier)")
    }
    if let options = row.optionClause() { clauses.append(options) }
    if let tablespace = row.tablespace {
      clauses.append("TABLESPACE \(tablespace.quotedIdentifier)")
    }
    return clauses
  }

  /// A table that was made first and inherited later can have its parents' columns in an order of
  /// its own, which `INHERITS` would not keep. It is then made again in the same two steps.
  private static func keepsOrderApart(_ row: RelationRow, _ context: Relations.Context) -> Bool {
    guard !row.isPartition, row.typeName == nil, let parents = context.parents[row.oid] else {
      return false
    }
    let columns = context.columns[row.oid] ?? []
    let checks = context.checks[row.oid] ?? []
    let isOwn =
      columns.allSatisfy { $0.isLocal && $0.notNull?.isLocal != false }
      && checks.allSatisfy(\.isLocal)
    guard isOwn else { return false }
    var order: [SQLText] = []
    let inherited = parents.flatMap { context.columns[$0] ?? [] }
    for column in inherited + columns where !order.contains(column.name) {
      order.append(column.name)
    }
    return order != columns.map(\.name)
  }

  /// Columns with the defaults that have to be said: where a parent has one and the child none.
  private static func settled(
    _ columns: [TableColumn], _ row: RelationRow, _ context: Relations.Context
  ) -> [TableColumn] {
    guard !row.isPartition, let parents = context.parents[row.oid] else { return columns }
    return columns.map { column in
      guard column.isInherited else { return column }
      let inherited = parents.flatMap { context.columns[$0] ?? [] }
        .filter { $0.name == column.name }
      var column = column
      if !column.isLocal, column.notNull == nil, inherited.contains(where: \.isNotNull) {
        column.isNotNull = false
      }
      if let own = column.notNull, own.isValid, !own.isLocal,
        inherited.allSatisfy({ $0.notNull?.isValid != true })
      {
        // The parent's is NOT VALID, and so is what it would hand down.
        column.notNull?.isLocal = true
      }
      if column.expression == nil, inherited.contains(where: { $0.expression != nil }) {
        column.expression = "NULL"
      }
      if column.isGenerated {
        // A generated column is inherited whole, unless its expression is its own.
        if inherited.contains(where: { $0.expression == column.expression }) {
          column.expression = nil
        } else {
          column.isLocal = true
        }
      }
      return column
    }
  }

  private static func alterations(
    _ row: RelationRow, _ columns: [TableColumn], _ definition: TableDefinition
  ) -> SQLText {
    var sql = row.columnAlterations(columns)
    let table: SQLText = "ALTER \(row.kind == "f" ? "FOREIGN " : "")TABLE ONLY \(row.qualifiedName)"
    for column in columns where !definition.isDeclared(column) {
      let alter: SQLText = "\(table) ALTER COLUMN \(column.name.quotedIdentifier)"
      if column.isNotNull, column.notNull == nil { sql += "\(alter) SET NOT NULL;\n" }
      if !column.foreignOptions.isEmpty {
        sql += "\(alter) OPTIONS (\(OptionList.foreign(column.foreignOptions)));\n"
      }
      if column.expressionOID == 0, let expression = column.expression {
        sql += "\(alter) SET DEFAULT \(expression);\n"
      }
    }
    switch row.replicaIdentity {
    case "n": sql += "\(table) REPLICA IDENTITY NOTHING;\n"
    case "f": sql += "\(table) REPLICA IDENTITY FULL;\n"
    default: break
    }
    return sql
  }

  private static func parts(
    _ row: RelationRow, _ columns: [TableColumn], _ checks: [Relations.CheckRow],
    _ definition: TableDefinition
  ) -> [SchemaObject.Part] {
    var parts: [SchemaObject.Part] = []
    let only: SQLText = "ALTER \(row.kind == "f" ? "FOREIGN " : "")TABLE ONLY \(row.qualifiedName)"
    for column in columns {
      if let expression = column.expression, column.expressionOID != 0 {
        let part = SchemaObject.Part(
          identity: ObjectIdentity(.columnDefault, column.expressionOID), kind: .columnDefault,
          name: "\(row.name) \(column.name)",
          sql: """
            \(only) ALTER COLUMN \(column.name.quotedIdentifier) SET DEFAULT \(expression);

            """,
          isAlwaysApart: !definition.isDeclared(column), isFixed: column.isGenerated)
        parts.append(part)
      }
      guard let constraint = column.notNull else { continue }
      let name = constraint.name.quotedIdentifier
      parts.append(
        SchemaObject.Part(
          identity: constraint.identity, kind: .checkConstraint,
          name: "\(row.name) \(constraint.name)",
          sql: """
            ALTER TABLE \(row.qualifiedName) ADD CONSTRAINT \(name) \
            NOT NULL \(column.name.quotedIdentifier)\(constraint.isNoInherit ? " NO INHERIT" : "") \
            NOT VALID;

            """,
          commentTarget: "CONSTRAINT \(name) ON \(row.qualifiedName)",
          isAlwaysApart: !constraint.isValid && constraint.isLocal,
          isFixed: constraint.isValid, section: .postData))
    }
    for check in checks {
      let name = check.name.quotedIdentifier
      parts.append(
        SchemaObject.Part(
          identity: check.identity, kind: .checkConstraint, name: "\(row.name) \(check.name)",
          // What a partition has from its parent is made by the parent's statement.
          sql: check.isLocal
            ? """
            ALTER TABLE \(row.qualifiedName)
                ADD CONSTRAINT \(name) \(check.definition);

            """ : "",
          commentTarget: "CONSTRAINT \(name) ON \(row.qualifiedName)",
          isAlwaysApart: !check.isValid, section: .postData))
    }
    return parts
  }

  private static func attachment(
    _ row: RelationRow, _ parent: RelationRow, _ bound: SQLText
  ) -> SchemaObject {
    var object = SchemaObject(
      ObjectIdentity(.relation, row.oid, column: SchemaObject.attachment), .partitionAttachment,
      schema: row.schema,
      name: row.name, owner: row.owner,
      definition: """
        ALTER TABLE ONLY \(parent.qualifiedName) ATTACH PARTITION \(row.qualifiedName) \(bound);

        """ as SQLText)
    object.needs = [row.identity, parent.identity]
    object.tables = [row.oid, parent.oid]
    return object
  }

  private static func rowSecurity(_ row: RelationRow) -> SchemaObject {
    var sql = SQLText()
    if row.hasRowSecurity { sql += "ALTER TABLE \(row.qualifiedName) ENABLE ROW LEVEL SECURITY;\n" }
    if row.forcesRowSecurity {
      sql += "ALTER TABLE ONLY \(row.qualifiedName) FORCE ROW LEVEL SECURITY;\n"
    }
    var object = SchemaObject(
      ObjectIdentity(.relation, row.oid, column: SchemaObject.rowSecurity), .rowSecurity,
      schema: row.schema,
      name: row.name, owner: row.owner, section: .postData, definition: sql)
    object.needs = [row.identity]
    object.tables = [row.oid]
    object.locks = [SchemaItem.Lock(table: row.oid, isShared: false)]
    return object
  }
}
