import Postgres

/// What can be known to go wrong before anything is made.
struct Preflight {
  private let facts: BackupFacts
  private let run: RestoreRun

  init(_ facts: BackupFacts, _ run: RestoreRun) {
    self.facts = facts
    self.run = run
  }

  /// - Returns: whether the post-data should be rehearsed, since the role or the server's version
  ///   may not allow all of it.
  /// - Throws: ``LogicalBackupError/Code/targetLacks`` when roles or extensions are missing.
  func check() throws -> Bool {
    let connection = try run.connect(run.cancellation)
    defer { connection.close() }
    if !run.options.omitsOwners, !run.options.omitsPrivileges {
      let roles = try missing(facts.roles, "pg_roles", "rolname", connection)
      guard roles.isEmpty else {
        throw LogicalBackupError(
          .targetLacks,
          "The server lacks roles that the backup names: \(Self.list(roles)). Create them, or "
            + "restore with --no-owner --no-privileges.")
      }
    }
    let extensions = try missing(facts.extensions, "pg_available_extensions", "name", connection)
    guard extensions.isEmpty else {
      throw LogicalBackupError(
        .targetLacks,
        "The server lacks extensions that the backup needs: \(Self.list(extensions)). Install "
          + "them on it.")
    }
    let isSuperuser = try connection.query("SELECT pg_catalog.current_setting('is_superuser')")
    return !(isSuperuser.string(0, 0) == "on")
      || facts.serverVersionNumber / 10_000 > connection.majorVersion
  }

  private func missing(
    _ names: [SQLText], _ catalog: SQLText, _ column: SQLText, _ connection: Connection
  ) throws -> [SQLText] {
    guard !names.isEmpty else { return [] }
    let literals = names.map(\.quotedLiteral).joined(separator: ", ")
    let rows = try connection.query(
      """
      SELECT n FROM pg_catalog.unnest(ARRAY[\(literals)]::pg_catalog.name[]) n
      WHERE NOT EXISTS (SELECT FROM pg_catalog.\(catalog) c WHERE c.\(column) = n) ORDER BY 1
      """)
    return (0..<rows.rowCount).compactMap { rows[$0, 0] }
  }

  private static func list(_ names: [SQLText]) -> String {
    names.map(\.string).joined(separator: ", ")
  }
}
