import Postgres

/// Whether texts sort as they did when indexes were built. A library update under the server
/// changes the order, and with it indexes miss rows.
struct CollationCheck {
  let connection: Connection
  let list: Checklist

  init(_ connection: Connection, _ list: Checklist) {
    self.connection = connection
    self.list = list
  }

  func examine() throws {
    try list.check("database.collations", advice: "Look into the server's log.") {
      var changed: [String] = []
      var remedies: [String] = []
      let database = try connection.query(
        """
        SELECT quote_ident(datname), datcollversion, pg_database_collation_actual_version(oid)
        FROM pg_database WHERE datname = current_database()
          AND datcollversion <> pg_database_collation_actual_version(oid)
        """, timeout: list.limit)
      if database.rowCount > 0 {
        let name = database.string(0, 0)
        changed.append(
          "the database's own (\(database.string(0, 1)), now \(database.string(0, 2)))")
        remedies += [
          "REINDEX DATABASE \(name)", "ALTER DATABASE \(name) REFRESH COLLATION VERSION",
        ]
      }
      // Only those in use: a server has hundreds.
      let collations = try connection.query(
        """
        SELECT format('%I.%I', n.nspname, c.collname), c.collversion,
          pg_collation_actual_version(c.oid)
        FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
        WHERE c.collversion IS NOT NULL
          AND (EXISTS (
              SELECT FROM pg_attribute a WHERE a.attcollation = c.oid AND NOT a.attisdropped)
            OR EXISTS (SELECT FROM pg_index i WHERE c.oid = ANY (i.indcollation::oid[])))
          AND c.collversion <> pg_collation_actual_version(c.oid)
        ORDER BY 1
        """, timeout: list.limit)
      for row in 0..<collations.rowCount {
        let name = collations.string(row, 0)
        changed.append("\(name) (\(collations.string(row, 1)), now \(collations.string(row, 2)))")
        remedies.append("ALTER COLLATION \(name) REFRESH VERSION")
      }
      guard !changed.isEmpty else { return .ok("collations have the versions they were made with") }
      if database.rowCount == 0 { remedies.insert("REINDEX the indexes that use them", at: 0) }
      return .warning(
        "collations sort differently than when their indexes were built: \(Wording.some(changed))",
        "Queries may miss rows. In this order: \(remedies.prefix(5).joined(separator: "; ")).")
    }
  }
}
