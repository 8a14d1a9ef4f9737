import Postgres

/// One column of a table, foreign table or view.
struct TableColumn: Sendable {
  var table: UInt32
  var number: Int32
  var name: SQLText
  var type: SQLText
  /// Only where it is not the type's own.
  var collation: SQLText?
  var isNotNull: Bool
  /// `attislocal`: declared here, whether or not a parent has it too.
  var isLocal: Bool
  var isInherited: Bool
  /// `a` always, `d` by default, else a space.
  var identity: Character
  /// `s` stored, `v` virtual, else a space.
  var generated: Character
  /// The default's or the generation's expression.
  var expression: SQLText?
  var expressionOID: UInt32
  /// `SET STORAGE` where it is not the type's own.
  var storage: Character?
  var compression: Character
  var statistics: Int?
  var options: [SQLText]
  var foreignOptions: [SQLText]
  var granted: SQLText?
  var typeOID: UInt32
  var typeKind: Character
  var typeCategory: Character
  var collationOID: UInt32
  /// The not-null constraint by its name (18 and later).
  var notNull: NotNull?

  struct NotNull: Sendable {
    var identity: ObjectIdentity
    var name: SQLText
    var isLocal: Bool
    var isInherited: Bool
    var isNoInherit: Bool
    var isValid: Bool
    /// Whether another table's constraint of the same schema has the name: the server, asked to
    /// choose one, would then choose another.
    var isShared = false
  }

  var isGenerated: Bool { generated != " " }

  static func read(
    _ session: CatalogSession, _ slice: RelationSlice
  ) throws -> [UInt32: [TableColumn]] {
    var columns: [UInt32: [TableColumn]] = [:]
    try session.forEach(
      """
      SELECT a.attrelid, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
          THEN a.attcollation::pg_catalog.regcollation END,
        a.attnotnull, a.attislocal, a.attinhcount > 0, a.attidentity, a.attgenerated,
        pg_catalog.pg_get_expr(d.adbin, d.adrelid), d.oid,
        CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END, a.attcompression,
        NULLIF(a.attstattarget, -1), a.attoptions, a.attfdwoptions, a.attacl,
        a.atttypid, t.typtype, t.typcategory, a.attcollation
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND \(session.isUserSchema())
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_attrdef d
        ON d.adrelid = CASE WHEN a.atthasdef THEN a.attrelid END AND d.adnum = a.attnum
      WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
        AND \(slice.holds("c.oid")) AND \(slice.holds("a.attrelid"))
      """
    ) { row in
      let column = TableColumn(&row)
      columns[column.table, default: []].append(column)
    }
    // The server finds them in this order as a rule, and would sort them all the same.
    for (table, list) in columns where !list.isInOrder {
      columns[table] = list.sorted { $0.number < $1.number }
    }
    if session.version >= 18 { try readNotNulls(session, slice, into: &columns) }
    return columns
  }

  private init(_ row: inout CatalogRow) {
    table = row.oid()
    number = Int32(row.int())
    name = row.text()
    type = row.text()
    collation = row.optional()
    isNotNull = row.flag()
    isLocal = row.flag()
    isInherited = row.flag()
    identity = row.letter()
    generated = row.letter()
    expression = row.optional()
    expressionOID = row.oid()
    let storage = row.letter()
    self.storage = storage == " " ? nil : storage
    compression = row.letter()
    statistics = row.optionalInt()
    // Servers from the minor releases of November 2026 on keep a number of their own among the
    // options (`pg_attver`), which is no setting and which pg_dump leaves out too.
    options = row.array().filter { !$0.hasPrefix("pg_attver=") }
    foreignOptions = row.array()
    granted = row.optional()
    typeOID = row.oid()
    typeKind = row.letter()
    typeCategory = row.letter()
    collationOID = row.oid()
  }

  private static func readNotNulls(
    _ session: CatalogSession, _ slice: RelationSlice,
    into columns: inout [UInt32: [TableColumn]]
  ) throws {
    try session.forEach(
      """
      SELECT c.conrelid, c.conkey[1], c.oid, c.conname, c.conislocal, c.coninhcount > 0,
        c.connoinherit, c.convalidated
      FROM pg_catalog.pg_constraint c WHERE c.contype = 'n' AND c.conrelid <> 0
        AND \(slice.holds("c.conrelid"))
      """
    ) { row in
      let table = row.oid()
      let number = Int32(row.int())
      let constraint = NotNull(
        identity: ObjectIdentity(.constraint, row.oid()), name: row.text(), isLocal: row.flag(),
        isInherited: row.flag(), isNoInherit: row.flag(), isValid: row.flag())
      guard let index = columns[table]?.firstIndex(where: { $0.number == number }) else { return }
      columns[table]?[index].notNull = constraint
    }
  }
}

extension [TableColumn] {
  /// The column with a number of `pg_attribute`.
  func column(_ number: UInt32) -> TableColumn? {
    // Columns stand at their numbers as long as none was dropped.
    let place = Int(number) - 1
    if indices.contains(place), self[place].number == Int32(number) { return self[place] }
    return first { $0.number == Int32(number) }
  }

  fileprivate var isInOrder: Bool {
    zip(self, dropFirst()).allSatisfy { $0.number < $1.number }
  }
}
