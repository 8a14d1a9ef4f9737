import ByteStream
import Postgres

/// An existing database that is empty, filled in place: ``RestoreMode/intoEmpty``.
///
/// A schema `pgkeep_restore` marks it as being filled. Its table holds the id of each transaction
/// of the restore, written in that very transaction, so what an interrupted run has made is known
/// by the transaction that made it, and only that is removed by the next one.
final class EmptyDatabase: RestoreTarget {
  let connectionTarget: ConnectionTarget
  private(set) var notes: [String] = []

  private let connection: Connection
  private let names: DatabaseNames

  private static let schema = UserObjects.markerSchema

  var transactionPrefix: SQLText {
    "INSERT INTO \(Self.schema).transactions VALUES (pg_catalog.pg_current_xact_id()); "
  }

  /// Marks the database.
  init(
    _ target: ConnectionTarget, traits: DatabaseTraits, cancellation: Cancellation
  ) throws {
    names = DatabaseNames(final: target.database ?? "")
    do {
      connection = try Connection(
        target, ConnectionOptions(applicationName: "pgkeep restore"), cancellation: cancellation)
    } catch let error as PostgresError where error.code == .noSuchDatabase {
      throw LogicalBackupError(
        .targetMissing,
        "There is no database \(names.final) to restore into. Make it first, empty, or leave out "
          + "--into-empty to have it made.", cause: error)
    }
    connectionTarget = connection.target
    try lock()
    try checkEncoding(traits)
    if try isMarked() { try removeInterrupted() } else { try mark() }
  }

  private func lock() throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while true {
      let answer = try connection.query(
        """
        SELECT pg_catalog.pg_try_advisory_lock(\(AdvisoryLocks.restoreClass), \(names.lockKey)),
          pg_catalog.pg_sleep(0.1)
        """)
      if answer.bool(0, 0) { return }
      guard ContinuousClock.now < deadline else {
        throw LogicalBackupError(
          .targetBusy,
          "Another restore into the database \(names.final) is going on. Wait for it, or end it.")
      }
    }
  }

  private func checkEncoding(_ traits: DatabaseTraits) throws {
    guard let wanted = traits.encoding else { return }
    let own = try connection.query("SELECT pg_catalog.getdatabaseencoding()").string(0, 0)
    guard own == wanted || own == "SQL_ASCII" || own == "UTF8" else {
      throw LogicalBackupError(
        .targetLacks,
        "The backed-up database has the encoding \(wanted), and \(names.final) has \(own), which "
          + "may lack some of its characters. Restore into a database with the encoding \(wanted) "
          + "or UTF8.")
    }
  }

  private func isMarked() throws -> Bool {
    try connection.query(
      "SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)",
      ["\(Self.schema).transactions"]
    ).rowCount > 0
  }

  private func mark() throws {
    let objects = UserObjects(connection)
    let found = try objects.list().filter { !$0.isOfExtension }
    let large = try objects.largeObjects()
    guard found.isEmpty, large == 0 else {
      var what = found.prefix(4).map { "\($0.kind) \($0.identity)" }
      if large > 0 { what.append("\(large) large objects") }
      throw LogicalBackupError(
        .notEmpty,
        "The database \(names.final) is not empty: it holds \(what.joined(separator: ", "))"
          + (found.count > 4 ? " and more" : "")
          + ". Nothing was changed. Restore into an empty database, or a new one.")
    }
    do {
      try connection.run(
        """
        BEGIN;
        CREATE SCHEMA \(Self.schema);
        COMMENT ON SCHEMA \(Self.schema) IS
          'pgkeep is restoring a backup into this database; until this schema is gone, it is not whole';
        CREATE TABLE \(Self.schema).transactions (id pg_catalog.xid8);
        \(transactionPrefix)
        COMMIT
        """)
    } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
      try? connection.run("ROLLBACK")
      throw LogicalBackupError(
        .permission,
        "The role may not create schemas in the database \(names.final): it has to own it, or "
          + "hold the privilege CREATE on it.", cause: error)
    }
  }

  /// Removes what the run that left the mark has made, and nothing else.
  private func removeInterrupted() throws {
    let objects = UserObjects(connection)
    let ids = try connection.query(
      "SELECT (id::pg_catalog.text::pg_catalog.numeric % 4294967296)::pg_catalog.int8 "
        + "FROM pgkeep_restore.transactions")
    let ours = Set((0..<ids.rowCount).compactMap { ids.int($0, 0) })
    let isOurs: SQLText = """
      l.xmin::pg_catalog.text IN (
        SELECT (id::pg_catalog.text::pg_catalog.numeric % 4294967296)::pg_catalog.text
        FROM \(Self.schema).transactions)
      """
    func refuseOthers(_ found: [UserObjects.Object]) throws {
      let others = found.filter { !ours.contains($0.transaction) && !$0.isOfExtension }
      let large = try objects.largeObjects(where: "NOT \(isOurs)")
      guard !others.isEmpty || large > 0 else { return }
      var what = others.prefix(4).map { "\($0.kind) \($0.identity)" }
      if large > 0 { what.append("\(large) large objects") }
      throw LogicalBackupError(
        .notEmpty,
        "The database \(names.final) holds an interrupted restore and also what that restore did "
          + "not make: \(what.joined(separator: ", ")). Nothing was removed. Move that elsewhere, "
          + "and run this again.")
    }
    func listOurs() throws -> [UserObjects.Object] {
      let found = try objects.list()
      try refuseOthers(found)
      return found.filter { ours.contains($0.transaction) }
    }
    var found = try listOurs()
    let count = found.count
    // Schemas take along what is in them; the rest in rounds, since one object can hold another.
    while !found.isEmpty {
      try connection.transaction {
        let schemas = found.filter { $0.kind == "schema" }
        for object in schemas.isEmpty ? found : schemas { try dropInSavepoint(object, objects) }
      }
      let left = try listOurs()
      guard left.count < found.count else {
        throw LogicalBackupError(
          .permission,
          "What an interrupted restore has left in \(names.final) cannot be removed: "
            + "\(left.prefix(4).map { "\($0.kind) \($0.identity)" }.joined(separator: ", ")).")
      }
      found = left
    }
    while try objects.largeObjects(where: isOurs) > 0 {
      // In portions: each takes a lock of the server's table of locks.
      try connection.run(
        """
        SELECT pg_catalog.lo_unlink(oid) FROM (SELECT l.oid
          FROM pg_catalog.pg_largeobject_metadata l WHERE \(isOurs) LIMIT 1000) o
        """)
    }
    notes.append(
      "Removed the \(count) objects that an interrupted restore had made in \(names.final).")
  }

  private func dropInSavepoint(_ object: UserObjects.Object, _ objects: UserObjects) throws {
    try connection.run("SAVEPOINT drop_one")
    do {
      try objects.drop(object)
      try connection.run(
        connection.hasFailedTransaction
          ? "ROLLBACK TO SAVEPOINT drop_one" : "RELEASE SAVEPOINT drop_one")
    } catch let error as PostgresError where error.code == .server {
      try connection.run("ROLLBACK TO SAVEPOINT drop_one")
    }
  }

  func complete() throws {
    try connection.run("DROP SCHEMA \(Self.schema) CASCADE", timeout: .seconds(60))
    connection.close()
  }

  /// Leaves all in place, marked: removing it can take long, and the next run does it.
  func abandon() { connection.close() }
}
