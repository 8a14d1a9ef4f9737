import ByteStream

/// Reads the migration files of a folder on a thread of its own, while its owner connects to the
/// database: a deploy hook waits for the longer of the two.
public struct MigrationFolder: Sendable {
  let files: Background<MigrationFiles>

  /// Starts reading.
  public init(_ path: String) {
    files = Background("migrations") { try MigrationFiles(folder: path) }
  }

  /// The files; blocks until they are read.
  ///
  /// - Throws: ``MigrationsError/Code/invalidFiles``, as ``MigrationFiles/init(folder:)`` does.
  public func read() throws -> MigrationFiles { try files.value() }
}
