import ByteStream
import Postgres
import Schema

/// What a database's schema is made of, for comparing: equal up to OIDs, dropped attributes and
/// the order of columns. pgkeep's own schema is left out.
struct SchemaState: Equatable {
  struct Key: Hashable {
    let kind: ObjectKind
    let schema: SQLText?
    let name: SQLText

    /// `table public.orders`
    var words: String {
      let qualified = schema.map { "\($0).\(name)" } ?? name.string
      return "\(kind.label.lowercased()) \(qualified)"
    }
  }

  /// Each object's statements, line by line; a table's lines in byte order.
  let objects: [Key: [SQLText]]

  init(_ script: SchemaScript) {
    var objects: [Key: [SQLText]] = [:]
    for item in script.preData + script.postData {
      let key = Key(kind: item.kind, schema: item.schema, name: item.name)
      var lines = item.sql.bytes.split(separator: 0x0A).map { line in
        var line = line.drop { $0 == 0x20 }
        // Which line is the last one, without a comma, is a matter of order.
        if item.kind == .table, line.last == UInt8(ascii: ",") { line.removeLast() }
        return SQLText(bytes: line)
      }
      if item.kind == .table { lines.sort() }
      objects[key, default: []] += lines
    }
    self.objects = objects
  }

  /// Reads the schema of a database in one transaction.
  static func catalog(
    _ target: ConnectionTarget, cancellation: Cancellation
  ) throws -> SchemaCatalog {
    let connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate schema", profile: .data),
      cancellation: cancellation)
    return try connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {
      try SchemaReader(connection, cancellation: cancellation).read(
        SchemaFilter(excludedSchemas: ["pgkeep"]))
    }
  }

  static func read(_ target: ConnectionTarget, cancellation: Cancellation) throws -> SchemaState {
    SchemaState(try catalog(target, cancellation: cancellation).script())
  }
}
