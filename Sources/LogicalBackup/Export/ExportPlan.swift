import Postgres
import Schema
import Synchronization

/// Which tables are exported, and in which pieces.
final class ExportPlan: Sendable {
  /// What is read, in the order of ``tables``.
  let sources: [CopySource]
  /// What the index will say of them; their sums are still to come.
  let tables: [TableRecord]
  let units: [CopyUnit]
  /// Bytes to read, about.
  let expectedBytes: Int
  private let left: Mutex<[Int]>

  /// - Parameters:
  ///   - tables: in the order of the index.
  ///   - connection: to ask for the tables' sizes.
  init(_ tables: [TableData], _ connection: Connection) throws {
    let sizes = try Self.sizes(tables, connection)
    sources = tables.map { table in
      let size = sizes[table.oid]
      return CopySource(
        schema: table.schema, name: table.name, columns: table.columns,
        condition: table.extensionCondition, mainBytes: table.isHeap ? size?.main ?? 0 : 0,
        totalBytes: size?.total ?? 0, isEmpty: table.isHeap && size?.main == 0)
    }
    self.tables = tables.enumerated().map { number, table in
      TableRecord(
        number: number + 1, schema: table.schema, name: table.name, columns: table.columns,
        sum: TableSum(), condition: table.extensionCondition)
    }
    units = CopyUnit.cut(sources, blockSize: try TableVerifier.serverBlockSize(connection))
    expectedBytes = units.reduce(0) { $0 + $1.bytes }
    var left = [Int](repeating: 0, count: tables.count)
    for unit in units { left[unit.source] += 1 }
    self.left = Mutex(left)
  }

  /// Tables with nothing to read.
  var emptyTables: Int { sources.count(where: \.isEmpty) }

  /// Counts a unit as done; true when it was its table's last.
  func isLast(_ unit: CopyUnit) -> Bool {
    left.withLock { left in
      left[unit.source] -= 1
      return left[unit.source] == 0
    }
  }

  private static func sizes(
    _ tables: [TableData], _ connection: Connection
  ) throws -> [UInt32: (main: Int, total: Int)] {
    var sizes: [UInt32: (main: Int, total: Int)] = [:]
    for start in stride(from: 0, to: tables.count, by: 10_000) {
      let oids = tables[start..<min(start + 10_000, tables.count)]
        .map { SQLText(String($0.oid)) }.joined(separator: ",")
      let rows = try connection.query(
        """
        SELECT s.o, s.main, CASE WHEN s.main > 0 THEN pg_catalog.pg_table_size(s.o) ELSE s.main END
        FROM (SELECT o, pg_catalog.pg_relation_size(o)
          FROM pg_catalog.unnest('{\(oids)}'::pg_catalog.oid[]) o OFFSET 0) s (o, main)
        """)
      for row in 0..<rows.rowCount {
        guard let oid = rows.int(row, 0).flatMap({ UInt32(exactly: $0) }),
          let main = rows.int(row, 1), let total = rows.int(row, 2)
        else { continue }
        sizes[oid] = (main, total)
      }
    }
    return sizes
  }
}
