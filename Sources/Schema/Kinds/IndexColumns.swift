import Postgres

/// Columns of indexes on plain columns.
///
/// `pg_get_indexdef()` takes more of the server's time than all other queries together, so that it
/// is asked only about indexes with expressions or conditions. The words here are its own, apart
/// from operator classes that are the default for a type only by a detour: those are named.
enum IndexColumns {
  /// By index: what stands in the parentheses, and the columns after `INCLUDE`.
  struct Lists {
    var keys: [SQLText] = []
    var included: [SQLText] = []
  }

  /// Indexes with options of operator classes, which `pg_get_indexdef()` is needed for.
  static let withClassOptions: SQLText = """
    SELECT DISTINCT o.attrelid FROM pg_catalog.pg_attribute o
    WHERE o.attoptions IS NOT NULL AND (pg_catalog.array_length(o.attoptions, 1) > 1
      OR o.attoptions[1] !~ '^pg_attver=')
    """

  static func read(
    _ session: CatalogSession, _ slice: Int, _ count: Int
  ) throws -> [UInt32: Lists] {
    var lists: [UInt32: Lists] = [:]
    try session.forEach(
      """
      SELECT i.indexrelid, k.position > i.indnkeyatts, a.attname,
        CASE WHEN k.coll <> 0 AND k.coll <> a.attcollation
          THEN k.coll::pg_catalog.regcollation END,
        CASE WHEN NOT (oc.opcdefault AND (oc.opcintype = a.atttypid
            OR own.oid IS NULL AND (
              oc.opcintype = 'pg_catalog.text'::pg_catalog.regtype
                AND a.atttypid = 'pg_catalog.varchar'::pg_catalog.regtype
              OR oc.opcintype = 'pg_catalog.anyarray'::pg_catalog.regtype AND t.typcategory = 'A'
              OR oc.opcintype = 'pg_catalog.anyenum'::pg_catalog.regtype AND t.typtype = 'e'
              OR oc.opcintype = 'pg_catalog.anyrange'::pg_catalog.regtype AND t.typtype = 'r'
            )))
          THEN CASE WHEN ocn.nspname <> 'pg_catalog'
            THEN pg_catalog.quote_ident(ocn.nspname) || '.' ELSE '' END
              || pg_catalog.quote_ident(oc.opcname) END,
        k.option
      FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace AND \(session.isUserSchema())
      CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(i.indkey::pg_catalog.int2[]),
        pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
        pg_catalog.unnest(i.indcollation::pg_catalog.oid[]),
        pg_catalog.unnest(i.indoption::pg_catalog.int2[])
      ) WITH ORDINALITY AS k (attribute, class, coll, option, position)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attribute
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_opclass oc ON oc.oid = k.class
      LEFT JOIN pg_catalog.pg_namespace ocn ON ocn.oid = oc.opcnamespace
      LEFT JOIN pg_catalog.pg_opclass own ON own.opcmethod = oc.opcmethod
        AND own.opcintype = a.atttypid AND own.opcdefault
      WHERE i.indexrelid::pg_catalog.int8 % \(count) = \(slice) AND NOT i.indisprimary
        AND i.indexprs IS NULL AND i.indpred IS NULL
      ORDER BY i.indexrelid, k.position
      """
    ) { row in
      let index = row.oid()
      let isIncluded = row.flag()
      var column = row.text().quotedIdentifier
      guard !isIncluded else {
        lists[index, default: Lists()].included.append(column)
        return
      }
      if let collation = row.optional() { column += " COLLATE \(collation)" }
      if let operatorClass = row.optional() { column += " \(operatorClass)" }
      let option = row.int()
      let isDescending = option & 1 != 0
      let isNullsFirst = option & 2 != 0
      if isDescending { column += " DESC" }
      if isDescending != isNullsFirst { column += isNullsFirst ? " NULLS FIRST" : " NULLS LAST" }
      lists[index, default: Lists()].keys.append(column)
    }
    return lists
  }
}
