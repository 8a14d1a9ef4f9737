import Postgres

/// How large a table is.
public struct TableSize: Hashable, Sendable {
  /// `public.orders`, not quoted.
  public var name: String
  public var rows: Int
  public var bytes: Int

  public init(name: String, rows: Int, bytes: Int) {
    self.name = name
    self.rows = rows
    self.bytes = bytes
  }
}

/// How large the target's tables are, by the server's own estimates or as a backup tells it.
struct RelationSizes {
  private var sizes: [String: TableSize] = [:]

  init(_ tables: [TableSize]) {
    for table in tables { sizes[table.name] = table }
  }

  init(_ connection: Connection) throws {
    let result = try connection.query(
      """
      SELECT n.nspname || '.' || c.relname, GREATEST(c.reltuples, 0)::bigint,
        COALESCE(pg_catalog.pg_relation_size(c.oid), 0)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^(pg_|information_schema$)'
      """)
    for row in 0..<result.rowCount {
      let name = result.string(row, 0)
      sizes[name] = TableSize(
        name: name, rows: result.int(row, 1) ?? 0, bytes: result.int(row, 2) ?? 0)
    }
  }

  /// Whether a table is known, and so small that reading or writing all of it is over at once.
  func isSmall(_ name: String) -> Bool { sizes[name].map { $0.bytes < 1 << 20 } ?? false }

  /// Whether a table is known to have no rows that matter.
  func isEmpty(_ name: String) -> Bool { sizes[name].map { $0.bytes == 0 } ?? false }

  /// `orders (41 GB, 90 M rows)`
  func words(_ name: String) -> String {
    guard let size = sizes[name], size.rows > 0 || size.bytes > 0 else { return name }
    return "\(name) (\(Self.short(size.bytes, 1024, ["B", "kB", "MB", "GB", "TB"])), "
      + "\(Self.short(size.rows, 1000, ["", "k", "M", "G"]).drop { $0 == " " }) rows)"
  }

  static func short(_ value: Int, _ base: Int, _ units: [String]) -> String {
    var value = value
    var unit = 0
    while value >= 10 * base, unit < units.count - 1 {
      value /= base
      unit += 1
    }
    return units[unit].isEmpty ? "\(value)" : "\(value) \(units[unit])"
  }
}
