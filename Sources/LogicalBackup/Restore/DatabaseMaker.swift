public import ByteStream
public import Postgres

/// Makes, or prepares, the database that a restore fills.
public enum DatabaseMaker {
  /// - Parameters:
  ///   - target: names the server, the role and the final database.
  ///   - traits: what a database that is made here has to be like. An existing one (``RestoreMode/
  ///     intoEmpty``) must have the same encoding.
  /// - Throws: ``LogicalBackupError`` when the target is not as the mode wants it, or the role may
  ///   not do it; `PostgresError`. Nothing has been made then.
  public static func make(
    _ target: ConnectionTarget, mode: RestoreMode, traits: DatabaseTraits,
    cancellation: Cancellation
  ) throws -> any RestoreTarget {
    guard let name = target.database, !name.isEmpty else {
      throw LogicalBackupError(
        .invalidRequest,
        "The URL of the database to restore into names no database: postgresql://…/DATABASE.")
    }
    switch mode {
    case .new, .replace, .scratch:
      return try RestoredDatabase(
        target, name: name, traits: traits, replaces: mode == .replace, cancellation: cancellation)
    case .intoEmpty:
      return try EmptyDatabase(target, traits: traits, cancellation: cancellation)
    }
  }
}
