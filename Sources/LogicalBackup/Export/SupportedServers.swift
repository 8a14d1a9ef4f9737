/// Which major versions of the server a backup is taken from.
public enum SupportedServers {
  /// The versions that the tests run on. 14 is taken too, as far as it goes.
  public static let tested = 15...18
  static let oldest = 14

  /// - Parameter forced: whether a version that nobody knew when this was written is taken: what
  ///   it has of new kinds of objects and columns would then be missing in silence.
  /// - Throws: ``LogicalBackupError`` of code `unsupported`.
  static func check(_ major: Int, forced: Bool) throws {
    guard major >= oldest else {
      throw LogicalBackupError(
        .unsupported,
        "The server is PostgreSQL \(major); backups are taken from \(oldest) and later.")
    }
    guard major <= tested.upperBound || forced else {
      throw LogicalBackupError(
        .unsupported,
        "The server is PostgreSQL \(major), which is newer than this pgkeep knows "
          + "(\(tested.upperBound)): what is new in it would be missing from the backup. Get a "
          + "newer pgkeep, or go on with --untested-server.")
    }
  }
}
