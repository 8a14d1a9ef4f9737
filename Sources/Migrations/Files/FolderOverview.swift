import ByteStream

/// Reads of a migrations folder what tells where a database stands, on a thread of its own: all
/// names, and the up and repeatable files. What is in down files is for
/// ``Migrator/verify(_:wantsAllApplied:)``.
public struct FolderOverview: Sendable {
  let files: Background<MigrationFiles>

  /// Starts reading.
  public init(_ path: String) {
    files = Background("migrations") { try MigrationFiles(folder: path, omitsDowns: true) }
  }
}
