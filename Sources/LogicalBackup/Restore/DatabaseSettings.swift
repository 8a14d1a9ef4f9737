import Postgres

/// What belongs to a database as a whole and not to what is in it: settings, privileges, a limit
/// of connections, a comment. A replacement takes them over from the database that it replaces.
///
/// What the role may not set is noted; it never ends a restore.
struct DatabaseSettings {
  private let connection: Connection

  init(_ connection: Connection) { self.connection = connection }

  /// Settings that hold lists of names: stored quoted, one by one, as SET takes them.
  private static let lists: Set<String> = [
    "local_preload_libraries", "search_path", "session_preload_libraries",
    "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
  ]

  /// All but the comment.
  func copy(from old: String, to new: String, _ notes: inout [String]) {
    do {
      for statement in try statements(from: SQLText(old), to: SQLText(new)) {
        do { try connection.run(statement) } catch let error as PostgresError
          where error.code == .server
        {
          notes.append(
            "Of \(old), the replacement did not get \(statement): \(error.server?.message ?? "")")
        }
      }
    } catch {
      notes.append("The settings of \(old) could not be read: \(error)")
    }
  }

  func copyComment(from old: String, to new: String, _ notes: inout [String]) {
    do {
      let rows = try connection.query(
        """
        SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
        WHERE datname = $1
        """, [SQLText(old)])
      guard rows.rowCount == 1, let comment = rows[0, 0] else { return }
      try connection.run(
        "COMMENT ON DATABASE \(SQLText(new).quotedIdentifier) IS \(comment.quotedLiteral)")
    } catch { notes.append("The comment on \(old) could not be copied: \(error)") }
  }

  /// A statement about a database, in two pieces with the database's name between them.
  struct Statement {
    var before: SQLText
    var after: SQLText
    var isPrivilege = false
    /// A role that it names.
    var role: SQLText?
  }

  private func statements(from old: SQLText, to new: SQLText) throws -> [SQLText] {
    try read(old, withComment: false).map { $0.before + new.quotedIdentifier + $0.after }
  }

  /// What is set for a database.
  func read(_ name: SQLText, withComment: Bool = true) throws -> [Statement] {
    var statements: [Statement] = []
    let row = try connection.query(
      """
      SELECT datconnlimit, pg_catalog.shobj_description(oid, 'pg_database')
      FROM pg_catalog.pg_database WHERE datname = $1
      """, [name])
    guard row.rowCount == 1 else { return [] }
    if let limit = row.int(0, 0), limit >= 0 {
      statements.append(
        Statement(before: "ALTER DATABASE ", after: " CONNECTION LIMIT \(limit)"))
    }
    if withComment, let comment = row[0, 1] {
      statements.append(
        Statement(before: "COMMENT ON DATABASE ", after: " IS \(comment.quotedLiteral)"))
    }
    return try statements + settings(name) + grants(name)
  }

  private func settings(_ name: SQLText) throws -> [Statement] {
    let settings = try connection.query(
      """
      SELECT r.rolname, pg_catalog.unnest(s.setconfig)
      FROM pg_catalog.pg_db_role_setting s
      JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
      WHERE d.datname = $1 AND (s.setrole = 0 OR r.rolname IS NOT NULL)
      """, [name])
    return (0..<settings.rowCount).compactMap { row in
      guard let assignment = settings[row, 1].flatMap(Self.assignment) else { return nil }
      let role = settings[row, 0]
      return Statement(
        before: role.map { "ALTER ROLE \($0.quotedIdentifier) IN DATABASE " } ?? "ALTER DATABASE ",
        after: " SET \(assignment)", role: role)
    }
  }

  /// `name = value` as SET takes it, of a setting as the catalogs keep it.
  static func assignment(_ setting: SQLText) -> SQLText? {
    guard let equals = setting.bytes.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    let name = SQLText(bytes: setting.bytes[..<equals])
    let value = SQLText(bytes: setting.bytes[(equals + 1)...])
    let written = lists.contains(name.string) ? value : value.quotedLiteral
    // The name of an extension's setting has a dot between its parts.
    let parts = name.bytes.split(separator: UInt8(ascii: ".")).map {
      SQLText(bytes: $0).quotedIdentifier
    }
    return "\(parts.joined(separator: ".")) = \(written)"
  }

  private func grants(_ name: SQLText) throws -> [Statement] {
    let grants = try connection.query(
      """
      SELECT coalesce(r.rolname, ''), a.grantee = 0, a.privilege_type, a.is_grantable
      FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE d.datname = $1
      """, [name])
    var statements: [Statement] = []
    if grants.rowCount > 0 {
      statements.append(
        Statement(before: "REVOKE ALL ON DATABASE ", after: " FROM PUBLIC", isPrivilege: true))
    }
    for row in 0..<grants.rowCount {
      guard let role = grants[row, 0], !role.isEmpty || grants.bool(row, 1) else { continue }
      let grantee: SQLText = grants.bool(row, 1) ? "PUBLIC" : role.quotedIdentifier
      let option: SQLText = grants.bool(row, 3) ? " WITH GRANT OPTION" : ""
      statements.append(
        Statement(
          before: "GRANT \(grants[row, 2] ?? "") ON DATABASE ", after: " TO \(grantee)\(option)",
          isPrivilege: true, role: role.isEmpty ? nil : role))
    }
    return statements
  }
}
