public import ByteStream
public import Postgres

/// What a scratch database can be filled with, other than by migrations: a backup.
public protocol ScratchContents: Sendable {
  /// How large the tables are in the database that it came from.
  var sizes: [TableSize] { get }

  /// Makes the schema, and the rows of the schema `pgkeep`, in the empty database `target`.
  /// Blocks.
  func fill(_ target: ConnectionTarget, cancellation: Cancellation) throws
}
