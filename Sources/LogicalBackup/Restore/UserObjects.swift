import Postgres

/// What a database holds beyond what every new one has, and beyond what belongs to extensions.
struct UserObjects {
  struct Object: Hashable {
    var catalog: Int
    var oid: Int
    /// In SQL's words: `table`, `operator class`.
    var kind: String
    /// As DROP takes it.
    var identity: SQLText
    /// The transaction that made or last changed it.
    var transaction: Int
    /// Whether it is an extension, or a schema that holds one: managed servers put them into a
    /// database that is otherwise empty.
    var isOfExtension: Bool
  }

  private let connection: Connection

  init(_ connection: Connection) { self.connection = connection }

  /// The schema that holds our marker.
  static let markerSchema = "pgkeep_restore"

  /// Catalogs of objects that a DROP of their own removes; what depends on one of them goes along.
  private static let catalogs = [
    "pg_class", "pg_proc", "pg_type", "pg_namespace", "pg_extension", "pg_collation",
    "pg_conversion", "pg_operator", "pg_opclass", "pg_opfamily", "pg_am", "pg_ts_config",
    "pg_ts_dict", "pg_ts_parser", "pg_ts_template", "pg_foreign_data_wrapper",
    "pg_foreign_server", "pg_publication", "pg_event_trigger", "pg_language", "pg_cast",
    "pg_statistic_ext", "pg_transform",
  ]

  /// The first OID that initdb does not give out.
  private static let firstOID = 16_384

  /// All of them but large objects.
  ///
  /// - Parameter limit: how many to look for.
  func list(limit: Int = 100_000) throws -> [Object] {
    let parts = Self.catalogs.map { catalog -> SQLText in
      """
      SELECT 'pg_catalog.\(catalog)'::pg_catalog.regclass::pg_catalog.oid AS classid, oid,
        xmin::pg_catalog.text::pg_catalog.int8 AS xmin
      FROM pg_catalog.\(catalog) WHERE oid >= \(Self.firstOID)
      """
    }
    // Row types, array types, indexes, TOAST tables and the like depend internally or
    // automatically on what they belong to, members on their extension.
    let rows = try connection.query(
      """
      WITH objects AS MATERIALIZED (\(parts.joined(separator: " UNION ALL ")))
      SELECT o.classid, o.oid, i.type, i.identity, o.xmin, i.type = 'extension' OR i.type = 'schema'
        AND EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extnamespace = o.oid)
      FROM objects o, LATERAL pg_catalog.pg_identify_object(o.classid, o.oid, 0) i
      WHERE NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = o.classid AND d.objid = o.oid AND d.objsubid = 0
            AND d.deptype IN ('e', 'i', 'P', 'S'))
        AND i.type NOT IN ('index', 'toast table')
        AND i.schema IS DISTINCT FROM '\(Self.markerSchema)'
        AND NOT (i.type = 'schema' AND (i.name IN ('public', '\(Self.markerSchema)')
          OR pg_catalog.starts_with(i.name, 'pg_temp_')
          OR pg_catalog.starts_with(i.name, 'pg_toast')))
        AND i.schema IS DISTINCT FROM 'pg_toast'
      ORDER BY o.oid LIMIT \(limit)
      """)
    return (0..<rows.rowCount).map { row in
      Object(
        catalog: rows.int(row, 0) ?? 0, oid: rows.int(row, 1) ?? 0, kind: rows.string(row, 2),
        identity: rows[row, 3] ?? "", transaction: rows.int(row, 4) ?? 0,
        isOfExtension: rows.bool(row, 5))
    }
  }

  /// How many large objects there are that `condition` holds for.
  func largeObjects(where condition: SQLText = "true") throws -> Int {
    try connection.query(
      "SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata l WHERE \(condition)"
    ).int(0, 0) ?? 0
  }

  /// Drops one, and what depends on it. What went with another is no error.
  func drop(_ object: Object) throws {
    let kind =
      switch object.kind {
      case "composite type": "type"
      case "foreign-data wrapper": "foreign data wrapper"
      case "statistics object": "statistics"
      default: object.kind
      }
    do {
      try connection.run("DROP \(SQLText(kind.uppercased())) \(object.identity) CASCADE")
    } catch let error as PostgresError
      where error.sqlState?.conditionClass == "42" && error.sqlState != .insufficientPrivilege
    {
      // "Does not exist", by its many codes; the caller counts what is left.
      return
    }
  }
}
