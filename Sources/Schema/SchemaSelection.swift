public import ByteStream
public import Postgres

/// What a filter's patterns found in a database. Blocks the calling thread while it looks.
public struct SchemaSelection: Sendable {
  private let filter: SchemaFilter
  private var tables: Set<UInt32> = []
  private var schemas: Set<SQLText> = []
  private var excludedTables: Set<UInt32> = []
  private var excludedSchemas: Set<SQLText> = []
  private var excludedData: Set<UInt32> = []

  /// Looks for the patterns' tables and schemas, in the connection's current transaction.
  ///
  /// - Throws: ``SchemaError/Code/nothingMatches`` for a pattern of what is wanted that finds
  ///   nothing: it is probably misspelt, and a backup without it would be missed too late.
  public init(_ filter: SchemaFilter, _ connection: Connection, cancellation: Cancellation) throws {
    try self.init(filter, CatalogSession(connection: connection, cancellation: cancellation))
  }

  init(_ filter: SchemaFilter, _ session: CatalogSession) throws {
    self.filter = filter
    for pattern in filter.schemas {
      let found = try Self.schemas(pattern, session)
      guard !found.isEmpty else { throw Self.nothing("schema", pattern) }
      schemas.formUnion(found)
    }
    for pattern in filter.excludedSchemas {
      excludedSchemas.formUnion(try Self.schemas(pattern, session))
    }
    for pattern in filter.tables {
      let found = try Self.relations(pattern, session)
      guard !found.isEmpty else { throw Self.nothing("table", pattern) }
      tables.formUnion(found)
    }
    for pattern in filter.excludedTables {
      excludedTables.formUnion(try Self.relations(pattern, session))
    }
    for pattern in filter.excludedTableData {
      excludedData.formUnion(try Self.relations(pattern, session))
    }
  }

  private static func nothing(_ what: String, _ pattern: String) -> SchemaError {
    SchemaError(.nothingMatches, "No \(what) matches \(pattern).")
  }

  private static func schemas(
    _ pattern: String, _ session: CatalogSession
  ) throws -> [SQLText] {
    let pattern = try NamePattern(pattern, isSchemaOnly: true)
    return try session.rows(
      """
      SELECT n.nspname FROM pg_catalog.pg_namespace n
      WHERE n.nspname OPERATOR(pg_catalog.~) \(pattern.name.quotedLiteral)
        COLLATE pg_catalog."default"
      """
    ) { $0.text() }
  }

  private static func relations(
    _ pattern: String, _ session: CatalogSession
  ) throws -> [UInt32] {
    let pattern = try NamePattern(pattern)
    let connection = session.connection
    // A name alone means what it would in a session of the user's own.
    let path = try connection.query(
      "SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path'")[0, 0]
    try connection.run(
      "SELECT pg_catalog.set_config('search_path', \((path ?? "").quotedLiteral), false)")
    defer { try? connection.run("SELECT pg_catalog.set_config('search_path', '', false)") }
    let place: SQLText =
      if let schema = pattern.schema {
        """
        n.nspname OPERATOR(pg_catalog.~) \(schema.quotedLiteral) COLLATE pg_catalog."default"
        """
      } else {
        "pg_catalog.pg_table_is_visible(c.oid)"
      }
    return try session.rows(
      """
      SELECT c.oid FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND \(place)
        AND c.relname OPERATOR(pg_catalog.~) \(pattern.name.quotedLiteral)
          COLLATE pg_catalog."default"
      """
    ) { $0.oid() }
  }

  // MARK: What is kept

  /// Whether a table's definition or rows are wanted, so that the table has to be read and locked.
  ///
  /// - Parameter isOfExtension: it came with an extension, whose configuration it holds.
  public func takes(table oid: UInt32, in schema: SQLText, isOfExtension: Bool) -> Bool {
    if !filter.tables.isEmpty {
      return tables.contains(oid) && !excludedTables.contains(oid)
        && !(isOfExtension && excludedSchemas.contains(schema))
    }
    if excludedTables.contains(oid) || excludedSchemas.contains(schema) { return false }
    return schemas.isEmpty || schemas.contains(schema)
  }

  /// Whether something is wanted that belongs to this relation, if any, and lies in this schema.
  func takes(relation oid: UInt32?, in schema: SQLText?) -> Bool {
    if let oid { return takes(table: oid, in: schema ?? "", isOfExtension: false) }
    guard let schema else { return isOfEverything }
    return filter.tables.isEmpty && !excludedSchemas.contains(schema)
      && (schemas.isEmpty || schemas.contains(schema))
  }

  /// Cuts everything else out of `contents`.
  func apply(to contents: inout KindContents) {
    let sequences = Dictionary(
      contents.objects.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
    contents.objects = contents.objects.filter(keeps) + places(contents.objects)
    let kept = Set(contents.objects.map(\.identity))
    contents.tables = contents.tables.filter { table in
      guard !excludedData.contains(table.oid), !excludedTables.contains(table.oid) else {
        return false
      }
      // A configuration table comes with its extension, or when somebody asks for it.
      guard table.extensionCondition == nil else {
        return takes(table: table.oid, in: table.schema, isOfExtension: true)
      }
      return kept.contains(ObjectIdentity(.relation, table.oid))
    }
    contents.sequences = contents.sequences.filter {
      guard !excludedData.contains($0.oid), !excludedTables.contains($0.oid) else { return false }
      let identity = ObjectIdentity(.relation, $0.oid)
      guard sequences[identity] == nil else { return kept.contains(identity) }
      return takes(table: $0.oid, in: $0.schema, isOfExtension: true)
    }
    if !isOfEverything { contents.extensions = [] }
    // Roles that these name, and only these, beyond the owners and grantees of what is kept.
    let naming: Set<ObjectKind> = [.policy, .userMapping, .defaultPrivileges]
    if !contents.objects.contains(where: { naming.contains($0.kind) }) { contents.roles = [] }
    contents.unsupported = contents.unsupported.filter { takes(relation: nil, in: $0.schema) }
  }

  /// The schemas that chosen tables lie in, for a database that has none of them.
  private func places(_ objects: [SchemaObject]) -> [SchemaObject] {
    guard !filter.tables.isEmpty else { return [] }
    let needed = Set(objects.filter(keeps).compactMap(\.schema))
    return objects.filter { $0.kind == .schema && needed.contains($0.name) && $0.name != "public" }
      .map { schema in
        SchemaObject(
          schema.identity, .schema, name: schema.name,
          definition: "CREATE SCHEMA IF NOT EXISTS \(schema.name.quotedIdentifier);\n" as SQLText)
      }
  }

  private var isOfEverything: Bool { filter.tables.isEmpty && filter.schemas.isEmpty }

  private func keeps(_ object: SchemaObject) -> Bool {
    let schema = object.kind == .schema ? object.name : object.schema
    // As with pg_dump, tables that are asked for come whatever is said of their schemas.
    if filter.tables.isEmpty, let schema, excludedSchemas.contains(schema) { return false }
    // An attachment needs both of its ends, everything else the table that it is on.
    let isAttachment =
      object.kind == .partitionAttachment || object.kind == .indexAttachment
    var relations = isAttachment ? object.tables : Array(object.tables.prefix(1))
    if object.kind == .sequence, relations.isEmpty { relations = [object.identity.oid] }
    if relations.contains(where: excludedTables.contains) { return false }
    // Nothing in a materialized view is a row that was left out.
    if object.kind == .materializedViewRefresh, relations.contains(where: excludedData.contains) {
      return false
    }
    if isOfEverything { return true }
    if !filter.tables.isEmpty {
      // Publications name tables, and do not belong to them.
      if object.kind == .publicationTable || object.kind == .publicationSchema { return false }
      if let owner = object.ownedBy, tables.contains(owner.oid) { return true }
      return !relations.isEmpty && relations.allSatisfy(tables.contains)
    }
    guard let schema, schemas.contains(schema) else { return false }
    return object.kind != .publicationTable && object.kind != .publicationSchema
  }
}
