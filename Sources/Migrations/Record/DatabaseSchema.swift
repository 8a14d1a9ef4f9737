import ByteStream
import Postgres
import Schema

/// Reading the schema of a database as migrations see it: without pgkeep's own.
enum DatabaseSchema {
  /// Reads it in one transaction, over a connection of its own.
  static func catalog(
    _ target: ConnectionTarget, cancellation: Cancellation
  ) throws -> SchemaCatalog {
    try catalog(connect(target, cancellation: cancellation), cancellation: cancellation)
  }

  static func catalog(
    _ connection: Connection, cancellation: Cancellation
  ) throws -> SchemaCatalog {
    try connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {
      try SchemaReader(connection, cancellation: cancellation).read(
        SchemaFilter(excludedSchemas: ["pgkeep"]))
    }
  }

  static func state(
    _ target: ConnectionTarget, cancellation: Cancellation
  ) throws -> SchemaState {
    SchemaState(try catalog(target, cancellation: cancellation))
  }

  /// A connection whose settings make the server write every name with its schema.
  static func connect(
    _ target: ConnectionTarget, cancellation: Cancellation
  ) throws -> Connection {
    try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate schema", profile: .data),
      cancellation: cancellation)
  }
}
