import Postgres

/// How large the target's tables are, by the server's own estimates.
struct RelationSizes {
  struct Size {
    let rows: Int
    let bytes: Int
  }

  private var sizes: [String: Size] = [:]

  init() {}

  init(_ connection: Connection) throws {
    let result = try connection.query(
      """
      SELECT n.nspname || '.' || c.relname, GREATEST(c.reltuples, 0)::bigint,
        c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^(pg_|information_schema$)'
      """)
    for row in 0..<result.rowCount {
      sizes[result.string(row, 0)] = Size(
        rows: result.int(row, 1) ?? 0, bytes: result.int(row, 2) ?? 0)
    }
  }

  subscript(_ name: String) -> Size? { sizes[name] }

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
