import Postgres

/// What the queries about indexes tell, before it is put together with the tables' columns.
struct IndexFacts: Sendable {
  struct Row: Sendable {
    var oid: UInt32
    var name: SQLText
    var table: UInt32
    /// The server's words, for an index with expressions or a condition.
    var definition: SQLText?
    var hasExpressions: Bool
    var isValid: Bool
    var isUnique: Bool
    var isNullsNotDistinct: Bool
    var isClustered: Bool
    var isReplicaIdentity: Bool
    var method: UInt32
    var options: [SQLText]
    var tablespace: SQLText?
    /// How many of ``columns`` are keys; the others are included.
    var keyCount: Int
    /// Numbers of the table's columns; the other lists are of the keys only.
    var columns: [UInt32]
    var classes: [UInt32]
    var collations: [UInt32]
    /// 1 for descending, 2 for nulls first.
    var directions: [UInt32]
  }

  /// A target for an expression's statistics.
  struct Statistics: Sendable {
    var number: Int
    var target: Int
  }

  /// A row of `pg_opclass`.
  struct OperatorClass: Sendable {
    /// As `pg_get_indexdef()` writes it.
    var qualifiedName: SQLText
    var isDefault: Bool
    var type: UInt32
    var method: UInt32
  }

  var rows: [Row] = []
  var statistics: [UInt32: [Statistics]] = [:]
  /// The server's words for indexes with options of operator classes.
  var definitions: [UInt32: SQLText] = [:]
  var methods: [UInt32: SQLText] = [:]
  var operatorClasses: [UInt32: OperatorClass] = [:]
  /// Names of collations, quoted and with their schemas where they need it.
  var collations: [UInt32: SQLText] = [:]

  mutating func merge(_ other: IndexFacts) {
    rows += other.rows
    statistics.merge(other.statistics) { first, _ in first }
    definitions.merge(other.definitions) { first, _ in first }
    methods.merge(other.methods) { first, _ in first }
    operatorClasses.merge(other.operatorClasses) { first, _ in first }
    collations.merge(other.collations) { first, _ in first }
  }

  /// The indexes themselves. `pg_get_indexdef()` takes more of the server's time than all other
  /// queries together, so that it is asked only about what ``IndexWriter`` does not write.
  static func read(
    _ session: CatalogSession, _ slice: RelationSlice
  ) throws -> KindContents {
    let rows = try session.rows(
      """
      SELECT x.oid, x.relname, i.indrelid,
        CASE WHEN (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND NOT i.indisexclusion
          THEN pg_catalog.pg_get_indexdef(x.oid) END,
        i.indexprs IS NOT NULL, i.indisvalid, i.indisunique,
        \(session.since(15, "i.indnullsnotdistinct", else: "false")), i.indisclustered,
        i.indisreplident, x.relam, x.reloptions, ts.spcname, i.indnkeyatts, i.indkey,
        i.indclass, i.indcollation, i.indoption
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = x.reltablespace
      WHERE x.relnamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n
          WHERE NOT (\(session.isUserSchema())))
        AND \(slice.holds("i.indrelid")) AND i.indisready
        AND x.relpersistence <> 't' AND \(session.isFree(.relation, "x.oid"))
      """
    ) { row in
      Row(
        oid: row.oid(), name: row.text(), table: row.oid(),
        definition: row.optional(), hasExpressions: row.flag(), isValid: row.flag(),
        isUnique: row.flag(), isNullsNotDistinct: row.flag(), isClustered: row.flag(),
        isReplicaIdentity: row.flag(), method: row.oid(), options: row.array(),
        tablespace: row.optional(), keyCount: row.int(),
        columns: row.oids(), classes: row.oids(), collations: row.oids(), directions: row.oids())
    }
    return KindContents(indexes: IndexFacts(rows: rows))
  }

  /// What few indexes have, and the names of what all of them use.
  static func settings(_ session: CatalogSession) throws -> KindContents {
    var facts = IndexFacts()
    try session.forEach(
      """
      WITH a AS MATERIALIZED (
        SELECT a.attrelid, a.attnum, a.attstattarget, \(hasClassOptions) AS has_options
        FROM pg_catalog.pg_attribute a
        WHERE a.attnum > 0 AND (a.attstattarget >= 0 OR \(hasClassOptions)))
      SELECT a.attrelid, a.attnum, a.attstattarget, a.attstattarget >= 0,
        CASE WHEN a.has_options THEN pg_catalog.pg_get_indexdef(a.attrelid) END
      FROM a
      JOIN pg_catalog.pg_class x ON x.oid = a.attrelid AND x.relkind IN ('i', 'I')
        AND x.relpersistence <> 't'
      JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace AND \(session.isUserSchema())
      ORDER BY a.attrelid, a.attnum
      """
    ) { row in
      let index = row.oid()
      let column = Statistics(number: row.int(), target: row.int())
      if row.flag() { facts.statistics[index, default: []].append(column) }
      if let definition = row.optional() { facts.definitions[index] = definition }
    }
    try session.forEach("SELECT am.oid, am.amname FROM pg_catalog.pg_am am") { row in
      facts.methods[row.oid()] = row.text()
    }
    try session.forEach(
      """
      SELECT oc.oid, CASE WHEN n.nspname <> 'pg_catalog'
          THEN pg_catalog.quote_ident(n.nspname) || '.' ELSE '' END
          || pg_catalog.quote_ident(oc.opcname),
        oc.opcdefault, oc.opcintype, oc.opcmethod
      FROM pg_catalog.pg_opclass oc
      JOIN pg_catalog.pg_namespace n ON n.oid = oc.opcnamespace
      """
    ) { row in
      facts.operatorClasses[row.oid()] = OperatorClass(
        qualifiedName: row.text(), isDefault: row.flag(), type: row.oid(), method: row.oid())
    }
    try session.forEach(
      "SELECT c.oid, c.oid::pg_catalog.regcollation FROM pg_catalog.pg_collation c"
    ) { row in facts.collations[row.oid()] = row.text() }
    return KindContents(indexes: facts)
  }

  /// A condition on `pg_attribute a`. Servers from the minor releases of November 2026 on keep a
  /// number of their own among the options (`pg_attver`), which is no setting.
  private static let hasClassOptions: SQLText = """
    (a.attoptions IS NOT NULL AND (pg_catalog.array_length(a.attoptions, 1) > 1
      OR a.attoptions[1] !~ '^pg_attver='))
    """
}
