import ByteStream
import Postgres
import Schema

/// A table that a backup holds a lock on.
struct LockedTable: Hashable, Sendable {
  var oid: UInt32
  var schema: SQLText
  var name: SQLText

  var qualifiedName: SQLText { .qualified(schema, name) }

  /// All tables that a backup must lock, in the order of their OIDs: ordinary and partitioned
  /// ones of users' schemas, and extensions' configuration tables; of these what `filter` selects.
  static func list(
    _ connection: Connection, _ filter: SchemaFilter = SchemaFilter(),
    cancellation: Cancellation = Cancellation()
  ) throws -> [LockedTable] {
    let selection: SchemaSelection?
    do {
      selection =
        filter.isEmpty
        ? nil : try SchemaSelection(filter, connection, cancellation: cancellation)
    } catch let error as SchemaError {
      throw LogicalBackupError(.invalidRequest, error.message)
    }
    // Lists that are looked up once, whatever the number of tables.
    let configuration: SQLText =
      "SELECT pg_catalog.unnest(e.extconfig) FROM pg_catalog.pg_extension e"
    let rows = try connection.query(
      """
      SELECT c.oid, n.nspname, c.relname, c.oid IN (\(configuration))
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND (c.oid NOT IN (SELECT d.objid FROM pg_catalog.pg_depend d
            WHERE d.refclassid = 3079 AND d.classid = 1259 AND d.objsubid = 0 AND d.deptype = 'e')
          OR c.oid IN (\(configuration)))
      ORDER BY c.oid
      """)
    return (0..<rows.rowCount).compactMap { row in
      let table = LockedTable(
        oid: UInt32(rows.int(row, 0) ?? 0), schema: rows[row, 1] ?? "", name: rows[row, 2] ?? "")
      let isTaken = selection?.takes(
        table: table.oid, in: table.schema, isOfExtension: rows.bool(row, 3))
      return isTaken == false ? nil : table
    }
  }
}
