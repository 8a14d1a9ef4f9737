import Postgres

/// Tells whether the catalogs that a schema is read from have changed.
///
/// Functions such as `pg_get_functiondef()` read the present catalogs and not the snapshot's. So
/// after rendering, what the snapshot sees of the catalogs is compared with the present: each row by
/// its OID and the transaction that wrote it.
struct CatalogFingerprint: Hashable, Sendable {
  private var rows: [[SQLText?]]

  /// A catalog, the column that identifies a row, and a condition on the rows: what belongs to
  /// temporary tables changes all the time and is in no backup.
  private struct Catalog {
    var name: SQLText
    var key: SQLText
    var condition: SQLText

    init(_ name: SQLText, _ key: SQLText = "oid", relation: SQLText? = nil, schema: SQLText? = nil)
    {
      self.name = name
      self.key = key
      condition = "true"
      if let relation { condition = "x.\(relation) NOT IN (SELECT oid FROM temporary_relations)" }
      if let schema { condition = "x.\(schema) NOT IN (SELECT oid FROM temporary_schemas)" }
    }
  }

  private static let catalogs = [
    Catalog("pg_class", relation: "oid"),
    Catalog("pg_attribute", "attrelid::pg_catalog.int8 * 2048 + attnum", relation: "attrelid"),
    Catalog("pg_attrdef", relation: "adrelid"), Catalog("pg_constraint", relation: "conrelid"),
    Catalog("pg_index", "indexrelid", relation: "indexrelid"),
    Catalog("pg_rewrite", relation: "ev_class"), Catalog("pg_trigger", relation: "tgrelid"),
    Catalog("pg_policy", relation: "polrelid"), Catalog("pg_statistic_ext", relation: "stxrelid"),
    Catalog("pg_inherits", "inhrelid", relation: "inhrelid"),
    Catalog("pg_sequence", "seqrelid", relation: "seqrelid"),
    Catalog("pg_partitioned_table", "partrelid", relation: "partrelid"),
    Catalog("pg_type", schema: "typnamespace"), Catalog("pg_proc", schema: "pronamespace"),
    Catalog("pg_namespace", schema: "oid"), Catalog("pg_aggregate", "aggfnoid"),
    Catalog("pg_enum"), Catalog("pg_range", "rngtypid"), Catalog("pg_operator"),
    Catalog("pg_opclass"), Catalog("pg_opfamily"), Catalog("pg_amop"), Catalog("pg_amproc"),
    Catalog("pg_cast"), Catalog("pg_collation"), Catalog("pg_conversion"), Catalog("pg_language"),
    Catalog("pg_extension"), Catalog("pg_event_trigger"), Catalog("pg_transform"),
    Catalog("pg_publication"), Catalog("pg_publication_rel"), Catalog("pg_publication_namespace"),
    Catalog("pg_foreign_data_wrapper"), Catalog("pg_foreign_server"), Catalog("pg_ts_config"),
    Catalog("pg_ts_dict"), Catalog("pg_ts_parser"), Catalog("pg_ts_template"),
    Catalog("pg_default_acl"), Catalog("pg_am"),
    Catalog("pg_description", "objoid::pg_catalog.int8 * 2048 + objsubid"),
  ]

  /// Reads the catalogs in the connection's transaction, or in one of its own.
  static func read(_ connection: Connection) throws -> CatalogFingerprint {
    let known = catalogs.filter {
      connection.majorVersion >= 15 || $0.name != "pg_publication_namespace"
    }
    let selects = known.map { catalog -> SQLText in
      """
      SELECT '\(catalog.name)', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashint8extended(
        (\(catalog.key))::pg_catalog.int8, x.xmin::pg_catalog.text::pg_catalog.int8))
      FROM pg_catalog.\(catalog.name) x WHERE \(catalog.condition)
      """
    }
    let result = try connection.query(
      """
      WITH temporary_schemas AS MATERIALIZED (
        SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_'),
      temporary_relations AS MATERIALIZED (
        SELECT oid FROM pg_catalog.pg_class
        WHERE relnamespace IN (SELECT oid FROM temporary_schemas))
      \(selects.joined(separator: "\nUNION ALL "))
      ORDER BY 1
      """)
    return CatalogFingerprint(
      rows: (0..<result.rowCount).map { row in (0..<3).map { result[row, $0] } })
  }

  /// The catalogs that differ.
  func changes(to later: CatalogFingerprint) -> [String] {
    zip(rows, later.rows).filter { $0 != $1 }.map { $0.0[0]?.string ?? "" }
  }
}
