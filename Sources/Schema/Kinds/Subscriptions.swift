import Postgres

/// `CREATE SUBSCRIPTION`, not connected: somebody has to enable it when the publisher is meant to
/// send again.
enum Subscriptions {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    let visible = try session.connection.query(
      """
      SELECT pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT')
      """
    ).bool(0, 0)
    let database: SQLText = """
      s.subdbid = (SELECT oid FROM pg_catalog.pg_database
        WHERE datname = pg_catalog.current_database())
      """
    guard visible else {
      try session.forEach(
        "SELECT s.subname FROM pg_catalog.pg_subscription s WHERE \(database)"
      ) { row in
        contents.unsupported.append(
          UnsupportedObject(
            what: "subscription, whose connection only a superuser can read", name: row.text()))
      }
      return contents
    }
    try session.forEach(
      """
      SELECT s.oid, s.subname, pg_catalog.pg_get_userbyid(s.subowner), s.subconninfo,
        s.subslotname, s.subsynccommit, s.subpublications,
        s.subbinary,
        \(session.since(16, "s.substream", else: "CASE WHEN s.substream THEN 't' ELSE 'f' END")),
        \(session.since(15, "s.subtwophasestate", else: "'d'")),
        \(session.since(15, "s.subdisableonerr", else: "false")),
        \(session.since(16, "s.subpasswordrequired", else: "true")),
        \(session.since(16, "s.subrunasowner", else: "false")),
        \(session.since(16, "s.suborigin", else: "'any'")),
        \(session.since(17, "s.subfailover", else: "false"))
      FROM pg_catalog.pg_subscription s
      WHERE \(database) AND \(session.isFree(.subscription, "s.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, owner, connection) = (row.text(), row.text(), row.text())
      let slot = row.optional()
      let commit = row.text()
      let publications = row.array().map(\.quotedIdentifier).joined(separator: ", ")
      var options: [SQLText] = ["connect = false", "slot_name = \(slot?.quotedLiteral ?? "NONE")"]
      if row.flag() { options.append("binary = true") }
      let streaming = row.letter()
      if streaming == "t" { options.append("streaming = on") }
      if streaming == "p" { options.append("streaming = parallel") }
      if row.letter() != "d" { options.append("two_phase = on") }
      if row.flag() { options.append("disable_on_error = true") }
      if !row.flag() { options.append("password_required = false") }
      if row.flag() { options.append("run_as_owner = true") }
      let origin = row.text()
      if origin != "any" { options.append("origin = \(origin)") }
      if row.flag() { options.append("failover = true") }
      if commit != "off" { options.append("synchronous_commit = \(commit.quotedLiteral)") }
      if streaming == "f", session.version >= 18 { options.append("streaming = off") }
      let target: SQLText = "SUBSCRIPTION \(name.quotedIdentifier)"
      var object = SchemaObject(
        ObjectIdentity(.subscription, oid), .subscription, name: name, owner: owner,
        section: .postData,
        definition: """
          CREATE \(target) CONNECTION \(connection.quotedLiteral) PUBLICATION \(publications) \
          WITH (\(options.joined(separator: ", ")));

          """ as SQLText)
      object.ownerTarget = target
      object.commentTarget = target
      contents.objects.append(object)
    }
    return contents
  }
}
