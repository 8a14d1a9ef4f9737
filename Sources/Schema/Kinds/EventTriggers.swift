import Postgres

/// `CREATE EVENT TRIGGER`, last of all, so that none fires while the rest is made.
enum EventTriggers {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT e.oid, e.evtname, pg_catalog.pg_get_userbyid(e.evtowner), e.evtevent, e.evtenabled,
        e.evttags, e.evtfoid::pg_catalog.regproc
      FROM pg_catalog.pg_event_trigger e WHERE \(session.isFree(.eventTrigger, "e.oid"))
      """
    ) { row in
      let oid = row.oid()
      let (name, owner, event) = (row.text(), row.text(), row.text())
      let state = row.letter()
      let tags = row.array()
      let target: SQLText = "EVENT TRIGGER \(name.quotedIdentifier)"
      var sql: SQLText = "CREATE \(target) ON \(event.quotedIdentifier)"
      if !tags.isEmpty {
        sql += "\n    WHEN TAG IN (\(tags.map(\.quotedLiteral).joined(separator: ", ")))"
      }
      sql += "\n    EXECUTE FUNCTION \(row.text())();\n"
      if state != "O" { sql += "ALTER \(target) \(Triggers.verb(state));\n" }
      var object = SchemaObject(
        ObjectIdentity(.eventTrigger, oid), .eventTrigger, name: name, owner: owner,
        section: .postData, definition: sql)
      object.stage = .last
      object.ownerTarget = target
      object.commentTarget = target
      contents.objects.append(object)
    }
    return contents
  }
}
