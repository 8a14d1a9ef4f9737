import ByteStream
import Crypto
import Glibc
import Postgres

/// A database of our own making, filled under a temporary name: ``RestoreMode/new`` and
/// ``RestoreMode/replace``.
///
/// What can be left behind by a kill at any moment: a database with a temporary name, which the
/// next restore of the same name drops; and, in the middle of a replacement, the old database
/// refusing connections, which the next restore undoes first. Both renames are one transaction.
final class RestoredDatabase: RestoreTarget {
  let connectionTarget: ConnectionTarget
  let transactionPrefix: SQLText = ""
  private(set) var notes: [String] = []

  private let names: DatabaseNames
  private let temporary: String
  private let target: ConnectionTarget
  private var maintenance: Maintenance
  private let replaces: Bool
  private let bringsSettings: Bool
  private var isComplete = false

  private static let idLength = 8
  private static let replacingMark = "pgkeep: connections to the database are refused"

  /// Makes the database, empty.
  init(
    _ target: ConnectionTarget, name: String, traits: DatabaseTraits, replaces: Bool,
    cancellation: Cancellation
  ) throws {
    self.target = target
    self.replaces = replaces
    bringsSettings = traits.hasSettings
    names = DatabaseNames(final: name)
    maintenance = try Maintenance(target, avoiding: name, cancellation: cancellation)
    temporary = names.temporary(id: try Hex.encode(SecureRandom.bytes(Self.idLength / 2)))
    connectionTarget = maintenance.connection.target.with(database: temporary)
    guard try maintenance.mayCreateDatabases() else {
      throw LogicalBackupError(
        .permission,
        "The role \(try maintenance.role) may not create databases on this server. Let somebody "
          + "make an empty one and restore into it with --into-empty.")
    }
    try maintenance.lock(names)
    try removeLeftovers()
    try checkFinalName()
    try create(traits)
  }

  // MARK: Beginning

  /// Undoes what a killed run of the same restore has left.
  private func removeLeftovers() throws {
    let prefix = names.temporaryPrefix(idLength: Self.idLength)
    let rows = try maintenance.connection.query(
      """
      SELECT datname, pg_catalog.shobj_description(oid, 'pg_database')
      FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname::text, $1) ORDER BY 1
      """, [SQLText(prefix)])
    for row in 0..<rows.rowCount {
      let leftover = rows.string(row, 0)
      guard leftover.utf8.count == prefix.utf8.count + Self.idLength else { continue }
      if rows.string(row, 1).hasPrefix(Self.replacingMark) {
        try admitConnections(to: names.final)
        notes.append(
          "A restore that was interrupted while it replaced \(names.final) had closed it; it was "
            + "opened again.")
      }
      do {
        try maintenance.drop(leftover)
        notes.append("Removed the database \(leftover), left over from an interrupted restore.")
      } catch let error as PostgresError where error.code == .server {
        notes.append("The database \(leftover), left over, could not be removed: \(error)")
      }
    }
  }

  private func checkFinalName() throws {
    let name = SQLText(names.final)
    guard try maintenance.exists(names.final) else { return }
    guard replaces else {
      throw LogicalBackupError(
        .notEmpty,
        "The database \(names.final) exists already on \(maintenance.connection.target). Give the "
          + "new one another name in --to, or replace it with --replace (the old one is kept "
          + "under another name), or restore into it with --into-empty if it is empty.")
    }
    let mayRename = try maintenance.connection.query(
      """
      SELECT pg_catalog.pg_has_role(datdba, 'USAGE') FROM pg_catalog.pg_database
      WHERE datname = $1
      """, [name])
    guard mayRename.rowCount == 1, mayRename.bool(0, 0) else {
      throw LogicalBackupError(
        .permission,
        "The role \(try maintenance.role) does not own the database \(names.final), so it cannot "
          + "rename it. Restore under another name, or as the owner.")
    }
  }

  private func create(_ traits: DatabaseTraits) throws {
    let connection = maintenance.connection
    var owner: SQLText?
    if let wanted = traits.owner {
      let rows = try connection.query(
        "SELECT pg_catalog.pg_has_role(oid, 'USAGE') FROM pg_catalog.pg_roles WHERE rolname = $1",
        [wanted])
      if rows.rowCount == 1, rows.bool(0, 0) { owner = wanted } else { noteOwner(wanted) }
    }
    func create(_ owner: SQLText?) throws {
      try connection.run(
        traits.creation(
          of: SQLText(temporary), owner: owner, majorVersion: connection.majorVersion),
        timeout: .seconds(600))
    }
    do {
      do { try create(owner) } catch let error as PostgresError
        where error.sqlState == .insufficientPrivilege && owner != nil
      {
        // A member that may not give things away to the role (16 and later: SET option).
        try create(nil)
        noteOwner(traits.owner ?? "")
      }
    } catch let error as PostgresError
      where error.code == .server && error.sqlState?.conditionClass != "53"
    {
      throw LogicalBackupError(
        .targetLacks,
        "The database cannot be made on \(connection.target) as it was: \(error.server?.message ?? "")."
          + " If the server lacks its locale or encoding, make an empty database with another and "
          + "restore into it with --into-empty.", cause: error)
    }
  }

  private func noteOwner(_ owner: SQLText) {
    notes.append(
      "The database belongs to the restoring role, not to \(owner), which is missing here or to "
        + "which this role may not give it.")
  }

  // MARK: End

  func complete() throws {
    if !maintenance.connection.isUsable {
      // Hours may have passed since it was opened.
      maintenance = try Maintenance(target, avoiding: names.final, cancellation: Cancellation())
      try maintenance.lock(names)
    }
    // Our own sessions have been closed; the server may not have noticed all of it yet.
    _ = try maintenance.endSessions(in: temporary, patience: .seconds(10))
    if replaces, try maintenance.exists(names.final) { return try replace() }
    do {
      try rename(temporary, names.final)
      end()
    } catch let error as PostgresError where error.code == .server {
      throw try setAside("It could not be renamed to \(names.final)", error)
    }
  }

  /// Lets the restored database take the place of the old one.
  private func replace() throws {
    if !bringsSettings {
      DatabaseSettings(maintenance.connection).copy(from: names.final, to: temporary, &notes)
    }
    let own = try bringsSettings ? maintenance.comment(on: temporary) : nil
    let connection = maintenance.connection
    let old = SQLText(names.final).quotedIdentifier
    let before = try freeName()
    try connection.run(
      """
      COMMENT ON DATABASE \(SQLText(temporary).quotedIdentifier) IS
      \(SQLText("\(Self.replacingMark) while it is replaced").quotedLiteral)
      """)
    do {
      try connection.run("ALTER DATABASE \(old) ALLOW_CONNECTIONS false", timeout: .seconds(60))
      let left = try maintenance.endSessions(in: names.final, patience: .seconds(10))
      guard left.isEmpty else {
        let who = left.prefix(5).map { "process \($0.pid) of \($0.role) (\($0.program))" }
        throw LogicalBackupError(
          .permission,
          "Sessions in \(names.final) did not end: \(who.joined(separator: ", ")). This role may "
            + "not end them, or they do not react")
      }
      try connection.transaction {
        try rename(names.final, before)
        try rename(temporary, names.final)
        try connection.run("COMMENT ON DATABASE \(old) IS NULL")
        try admitConnections(to: before)
      }
    } catch {
      try? admitConnections(to: names.final)
      throw try setAside("The database \(names.final) was left as it is", error)
    }
    if bringsSettings {
      try own.map {
        try connection.run("COMMENT ON DATABASE \(old) IS \($0.quotedLiteral)")
      }
    } else {
      DatabaseSettings(connection).copyComment(from: before, to: names.final, &notes)
    }
    end()
    notes.append("The replaced database is kept as \(before); drop it when it is not needed.")
  }

  /// A name for the old database. The one of this second may be that of an earlier replacement.
  private func freeName() throws -> String {
    for _ in 0..<5 {
      let name = names.before(time: try maintenance.time())
      guard try maintenance.exists(name) else { return name }
      usleep(1_000_000)
    }
    return names.before(time: try maintenance.time())
  }

  private func admitConnections(to name: String) throws {
    try maintenance.connection.run(
      "ALTER DATABASE \(SQLText(name).quotedIdentifier) ALLOW_CONNECTIONS true")
  }

  private func rename(_ old: String, _ new: String) throws {
    try maintenance.connection.run(
      "ALTER DATABASE \(SQLText(old).quotedIdentifier) RENAME TO \(SQLText(new).quotedIdentifier)",
      timeout: .seconds(60))
  }

  /// Gives what was restored a lasting name of its own, since it cannot have the final one.
  private func setAside(_ what: String, _ cause: any Error) throws -> LogicalBackupError {
    let time = try maintenance.time()
    let restored = names.restored(time: time)
    try rename(temporary, restored)
    try? maintenance.connection.run(
      "COMMENT ON DATABASE \(SQLText(restored).quotedIdentifier) IS NULL")
    end()
    let (old, new) = (SQLText(names.final).quotedIdentifier, SQLText(restored).quotedIdentifier)
    let before = SQLText(names.before(time: time)).quotedIdentifier
    return LogicalBackupError(
      .notSwitched,
      """
      \(what). The restored database is whole and is called \(restored). To put it in place:
        ALTER DATABASE \(old) RENAME TO \(before);
        ALTER DATABASE \(new) RENAME TO \(old);
      """, cause: cause)
  }

  /// Nothing is left to do: lets other restores of the name begin.
  private func end() {
    isComplete = true
    maintenance.connection.close()
  }

  func abandon() {
    guard !isComplete else { return }
    // The run's own cancellation would stop the cleaning as well.
    guard
      let cleaning = try? Maintenance(target, avoiding: names.final, cancellation: Cancellation())
    else { return }
    try? cleaning.drop(temporary)
    cleaning.connection.close()
    maintenance.connection.close()
  }
}
