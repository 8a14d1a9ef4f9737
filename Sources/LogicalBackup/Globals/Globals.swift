import Postgres

/// What belongs to a cluster and to none of its databases, as SQL: roles, their memberships,
/// settings and rights to parameters, and tablespaces.
struct Globals {
  /// In an order that runs; each ends in `;` and a newline.
  private(set) var statements: [SQLText] = []
  private(set) var roles: [SQLText] = []
  private(set) var tablespaces: [SQLText] = []
  /// Whether the role may read passwords; otherwise there are none.
  let hasPasswords: Bool

  private let connection: Connection
  private var version: Int { connection.majorVersion }
  /// The role that initdb made, which needs no grantor.
  private static let bootstrap = 10

  /// Reads them in one snapshot.
  init(_ connection: Connection) throws {
    self.connection = connection
    hasPasswords = try connection.query(
      "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')"
    ).bool(0, 0)
    try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try readRoles()
    try readMemberships()
    try readSettings()
    if version >= 15 { try readParameters() }
    try readTablespaces()
    try connection.run("COMMIT")
  }

  // MARK: Roles

  private static let attributes: [(column: SQLText, word: SQLText)] = [
    ("rolinherit", "INHERIT"), ("rolcreaterole", "CREATEROLE"), ("rolcreatedb", "CREATEDB"),
    ("rolcanlogin", "LOGIN"),
  ]
  /// Attributes that only some may speak of at all: named where a role has them, and taken away
  /// where a role has them that should not.
  private static let powers: [(column: SQLText, word: SQLText)] = [
    ("rolsuper", "SUPERUSER"), ("rolreplication", "REPLICATION"), ("rolbypassrls", "BYPASSRLS"),
  ]

  private mutating func readRoles() throws {
    let catalog: SQLText = hasPasswords ? "pg_authid" : "pg_roles"
    let columns = (Self.attributes + Self.powers).map(\.column).joined(separator: ", ")
    let rows = try connection.query(
      """
      SELECT rolname, rolconnlimit, \(hasPasswords ? "rolpassword" : "NULL" as SQLText),
        rolvaliduntil::pg_catalog.text, pg_catalog.shobj_description(oid, 'pg_authid'), \(columns)
      FROM pg_catalog.\(catalog) WHERE rolname !~ '^pg_' ORDER BY rolname COLLATE "C"
      """)
    var after: [SQLText] = []
    for row in 0..<rows.rowCount {
      guard let name = rows[row, 0] else { continue }
      let role = name.quotedIdentifier
      roles.append(name)
      var words: [SQLText] = []
      var powers: [(column: SQLText, word: SQLText)] = []
      for (index, attribute) in Self.attributes.enumerated() {
        words.append(rows.bool(row, 5 + index) ? attribute.word : "NO\(attribute.word)")
      }
      for (index, power) in Self.powers.enumerated() {
        if rows.bool(row, 5 + Self.attributes.count + index) {
          words.append(power.word)
        } else {
          powers.append(power)
        }
      }
      words.append("CONNECTION LIMIT \(rows.int(row, 1) ?? -1)")
      if hasPasswords {
        words.append("PASSWORD \(rows[row, 2].map(\.quotedLiteral) ?? "NULL")")
      }
      if let until = rows[row, 3] { words.append("VALID UNTIL \(until.quotedLiteral)") }
      statements.append(Self.creation(of: name, without: powers))
      after.append("ALTER ROLE \(role) WITH \(words.joined(separator: " "));\n")
      if let comment = rows[row, 4] {
        after.append("COMMENT ON ROLE \(role) IS \(comment.quotedLiteral);\n")
      }
    }
    statements += after
  }

  /// Makes a role where there is none.
  private static func creation(
    of name: SQLText, without powers: [(column: SQLText, word: SQLText)]
  ) -> SQLText {
    let role = name.quotedIdentifier
    var body: SQLText = """

      BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = \(name.quotedLiteral)) THEN
          \(creation(of: name))

      """
    if !powers.isEmpty {
      let columns = powers.map(\.column).joined(separator: " OR ")
      let words = powers.map { "NO\($0.word)" as SQLText }.joined(separator: " ")
      body += """
          ELSIF EXISTS (SELECT FROM pg_catalog.pg_roles
              WHERE rolname = \(name.quotedLiteral) AND (\(columns))) THEN
            ALTER ROLE \(role) \(words);

        """
    }
    return "DO \(FileHeader.dollarQuoted(body + "  END IF;\nEND\n"));\n"
  }

  static func creation(of role: SQLText) -> SQLText { "CREATE ROLE \(role.quotedIdentifier);" }

  private struct Membership {
    var role: SQLText
    var member: SQLText
    var grantor: SQLText?
    /// The bootstrap superuser's grants stand by themselves.
    var isByBootstrap: Bool
    /// Whether the grantor holds the role with the option to grant it, or is a superuser.
    var mayGrant: Bool
    var isAdmin: Bool
    var inherits: Bool
    var mayset: Bool
  }

  private mutating func readMemberships() throws {
    let has16 = version >= 16
    let rows = try connection.query(
      """
      SELECT r.rolname, m.rolname, g.rolname, a.grantor = \(Self.bootstrap), a.admin_option,
        \(has16 ? "a.inherit_option, a.set_option" : "true, true" as SQLText),
        COALESCE(g.rolsuper, false) OR EXISTS (SELECT FROM pg_catalog.pg_auth_members x
          WHERE x.roleid = a.roleid AND x.member = a.grantor AND x.admin_option)
      FROM pg_catalog.pg_auth_members a
      JOIN pg_catalog.pg_roles r ON r.oid = a.roleid
      JOIN pg_catalog.pg_roles m ON m.oid = a.member
      LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantor
      WHERE NOT (r.rolname ~ '^pg_' AND m.rolname ~ '^pg_')
      ORDER BY r.rolname COLLATE "C", m.rolname COLLATE "C", g.rolname COLLATE "C"
      """)
    var open = (0..<rows.rowCount).map { row in
      Membership(
        role: rows[row, 0] ?? "", member: rows[row, 1] ?? "", grantor: rows[row, 2],
        isByBootstrap: rows.bool(row, 3), mayGrant: rows.bool(row, 7), isAdmin: rows.bool(row, 4),
        inherits: rows.bool(row, 5), mayset: rows.bool(row, 6))
    }
    // Whoever grants a role must have got it with the option before.
    var admins: Set<[SQLText]> = []
    while !open.isEmpty {
      let ready = open.filter { grant in
        grant.isByBootstrap || grant.grantor.map { admins.contains([grant.role, $0]) } ?? true
      }
      let next = ready.isEmpty ? open : ready
      for grant in next {
        statements.append(sql(grant))
        if grant.isAdmin { admins.insert([grant.role, grant.member]) }
      }
      if ready.isEmpty { break }
      open.removeAll { grant in
        ready.contains {
          $0.role == grant.role && $0.member == grant.member && $0.grantor == grant.grantor
        }
      }
    }
  }

  private func sql(_ grant: Membership) -> SQLText {
    var sql: SQLText = "GRANT \(grant.role.quotedIdentifier) TO \(grant.member.quotedIdentifier)"
    if version >= 16 {
      let word: (Bool) -> SQLText = { $0 ? "TRUE" : "FALSE" }
      sql += """
         WITH ADMIN \(word(grant.isAdmin)), INHERIT \(word(grant.inherits)), \
        SET \(word(grant.mayset))
        """
    } else if grant.isAdmin {
      sql += " WITH ADMIN OPTION"
    }
    // Until 15 a grantor was only noted; a later server checks that it may grant.
    if let grantor = grant.grantor, version >= 16 || grant.mayGrant {
      sql += " GRANTED BY \(grantor.quotedIdentifier)"
    }
    return sql + ";\n"
  }

  // MARK: Settings

  private mutating func readSettings() throws {
    let rows = try connection.query(
      """
      SELECT r.rolname, pg_catalog.unnest(s.setconfig)
      FROM pg_catalog.pg_db_role_setting s
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
      WHERE s.setdatabase = 0 AND (s.setrole = 0 OR r.rolname IS NOT NULL)
      ORDER BY r.rolname COLLATE "C" NULLS FIRST, 2
      """)
    for row in 0..<rows.rowCount {
      guard let assignment = rows[row, 1].flatMap(DatabaseSettings.assignment) else { continue }
      let role = rows[row, 0]?.quotedIdentifier ?? "ALL"
      statements.append("ALTER ROLE \(role) SET \(assignment);\n")
    }
  }

  private mutating func readParameters() throws {
    let rows = try connection.query(
      """
      SELECT p.parname, a.privilege_type, r.rolname, a.is_grantable
      FROM pg_catalog.pg_parameter_acl p, pg_catalog.aclexplode(p.paracl) a
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      WHERE a.grantee <> \(Self.bootstrap) AND (a.grantee = 0 OR r.rolname IS NOT NULL)
      ORDER BY p.parname COLLATE "C", r.rolname COLLATE "C", a.privilege_type
      """)
    for row in 0..<rows.rowCount {
      let name = (rows[row, 0] ?? "").bytes.split(separator: UInt8(ascii: "."))
        .map { SQLText(bytes: $0).quotedIdentifier }.joined(separator: ".")
      let grantee = rows[row, 2]?.quotedIdentifier ?? "PUBLIC"
      let option: SQLText = rows.bool(row, 3) ? " WITH GRANT OPTION" : ""
      statements.append(
        "GRANT \(rows[row, 1] ?? "") ON PARAMETER \(name) TO \(grantee)\(option);\n")
    }
  }

  // MARK: Tablespaces

  private mutating func readTablespaces() throws {
    let rows = try connection.query(
      """
      SELECT spcname, pg_catalog.pg_get_userbyid(spcowner),
        pg_catalog.pg_tablespace_location(oid),
        pg_catalog.array_to_string(spcoptions, ', '),
        pg_catalog.shobj_description(oid, 'pg_tablespace'), spcacl IS NOT NULL
          AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(spcacl) a WHERE a.grantee = spcowner)
      FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_' ORDER BY spcname COLLATE "C"
      """)
    for row in 0..<rows.rowCount {
      guard let name = rows[row, 0] else { continue }
      tablespaces.append(name)
      let space = name.quotedIdentifier
      let owner = (rows[row, 1] ?? "").quotedIdentifier
      let location = rows[row, 2] ?? ""
      // A relative path is one inside the data directory, which the server chooses itself.
      let place = location.hasPrefix("/") ? location : ""
      statements.append(
        "CREATE TABLESPACE \(space) OWNER \(owner) LOCATION \(place.quotedLiteral);\n")
      if let options = rows[row, 3], !options.isEmpty {
        statements.append("ALTER TABLESPACE \(space) SET (\(options));\n")
      }
      if let comment = rows[row, 4] {
        statements.append("COMMENT ON TABLESPACE \(space) IS \(comment.quotedLiteral);\n")
      }
      if rows.bool(row, 5) {
        statements.append("REVOKE ALL ON TABLESPACE \(space) FROM \(owner);\n")
      }
    }
    let grants = try connection.query(
      """
      SELECT t.spcname, r.rolname, a.is_grantable
      FROM pg_catalog.pg_tablespace t, pg_catalog.aclexplode(t.spcacl) a
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      WHERE t.spcname !~ '^pg_' AND a.grantee <> t.spcowner
        AND (a.grantee = 0 OR r.rolname IS NOT NULL)
      ORDER BY 1, 2
      """)
    for row in 0..<grants.rowCount {
      let option: SQLText = grants.bool(row, 2) ? " WITH GRANT OPTION" : ""
      statements.append(
        """
        GRANT CREATE ON TABLESPACE \((grants[row, 0] ?? "").quotedIdentifier) \
        TO \(grants[row, 1]?.quotedIdentifier ?? "PUBLIC")\(option);

        """)
    }
  }
}
