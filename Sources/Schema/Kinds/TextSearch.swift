import Postgres

/// `CREATE TEXT SEARCH PARSER`, `TEMPLATE`, `DICTIONARY` and `CONFIGURATION`.
enum TextSearch {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    contents.merge(try parsers(session))
    contents.merge(try templates(session))
    contents.merge(try dictionaries(session))
    contents.merge(try configurations(session))
    return contents
  }

  private static func block(_ head: SQLText, _ lines: [SQLText]) -> SQLText {
    "\(head) (\n\(lines.map { "    \($0)" as SQLText }.joined(separator: ",\n"))\n);\n"
  }

  private static func parsers(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT p.oid, n.nspname, p.prsname, '', p.prsstart, p.prstoken, p.prsend,
        CASE WHEN p.prsheadline::pg_catalog.oid <> 0 THEN p.prsheadline END, p.prslextype
      FROM pg_catalog.pg_ts_parser p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace AND \(session.isUserSchema())
      WHERE \(session.isFree(.textSearchParser, "p.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      var lines: [SQLText] = [
        "START = \(row.text())", "GETTOKEN = \(row.text())", "END = \(row.text())",
      ]
      if let headline = row.optional() { lines.append("HEADLINE = \(headline)") }
      lines.append("LEXTYPES = \(row.text())")
      let sql = block("CREATE TEXT SEARCH PARSER \(named.qualifiedName)", lines)
      contents.objects.append(withoutOwner(named.object(.textSearchParser, .textSearchParser, sql)))
    }
    return contents
  }

  private static func templates(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT t.oid, n.nspname, t.tmplname, '',
        CASE WHEN t.tmplinit::pg_catalog.oid <> 0 THEN t.tmplinit END, t.tmpllexize
      FROM pg_catalog.pg_ts_template t
      JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace AND \(session.isUserSchema())
      WHERE \(session.isFree(.textSearchTemplate, "t.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      var lines: [SQLText] = []
      if let start = row.optional() { lines.append("INIT = \(start)") }
      lines.append("LEXIZE = \(row.text())")
      let sql = block("CREATE TEXT SEARCH TEMPLATE \(named.qualifiedName)", lines)
      contents.objects.append(
        withoutOwner(named.object(.textSearchTemplate, .textSearchTemplate, sql)))
    }
    return contents
  }

  private static func withoutOwner(_ object: SchemaObject) -> SchemaObject {
    var object = object
    object.owner = nil
    object.ownerTarget = nil
    return object
  }

  private static func dictionaries(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT d.oid, n.nspname, d.dictname, pg_catalog.pg_get_userbyid(d.dictowner),
        tn.nspname, t.tmplname, d.dictinitoption
      FROM pg_catalog.pg_ts_dict d
      JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace AND \(session.isUserSchema())
      JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate
      JOIN pg_catalog.pg_namespace tn ON tn.oid = t.tmplnamespace
      WHERE \(session.isFree(.textSearchDictionary, "d.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      var lines: [SQLText] = ["TEMPLATE = \(SQLText.qualified(row.text(), row.text()))"]
      // The server keeps the options as SQL.
      if let options = row.optional() { lines.append(options) }
      let sql = block("CREATE TEXT SEARCH DICTIONARY \(named.qualifiedName)", lines)
      contents.objects.append(named.object(.textSearchDictionary, .textSearchDictionary, sql))
    }
    return contents
  }

  private static func configurations(_ session: CatalogSession) throws -> KindContents {
    var mappings: [UInt32: [SQLText]] = [:]
    try session.forEach(
      """
      SELECT m.mapcfg, t.alias,
        pg_catalog.string_agg(m.mapdict::pg_catalog.regdictionary::text, ', '
          ORDER BY m.mapseqno)
      FROM pg_catalog.pg_ts_config_map m
      JOIN pg_catalog.pg_ts_config c ON c.oid = m.mapcfg
      JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace AND \(session.isUserSchema())
      CROSS JOIN LATERAL pg_catalog.ts_token_type(c.cfgparser) t
      WHERE t.tokid = m.maptokentype
      GROUP BY m.mapcfg, m.maptokentype, t.alias ORDER BY m.mapcfg, m.maptokentype
      """
    ) { row in
      mappings[row.oid(), default: []].append(
        "ADD MAPPING FOR \(row.text().quotedIdentifier) WITH \(row.text());\n")
    }
    var contents = KindContents()
    try session.forEach(
      """
      SELECT c.oid, n.nspname, c.cfgname, pg_catalog.pg_get_userbyid(c.cfgowner),
        pn.nspname, p.prsname
      FROM pg_catalog.pg_ts_config c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace AND \(session.isUserSchema())
      JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
      JOIN pg_catalog.pg_namespace pn ON pn.oid = p.prsnamespace
      WHERE \(session.isFree(.textSearchConfiguration, "c.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      let parser = SQLText.qualified(row.text(), row.text())
      var sql = block(
        "CREATE TEXT SEARCH CONFIGURATION \(named.qualifiedName)", ["PARSER = \(parser)"])
      for mapping in mappings[named.oid] ?? [] {
        sql += "ALTER TEXT SEARCH CONFIGURATION \(named.qualifiedName) \(mapping)"
      }
      contents.objects.append(
        named.object(.textSearchConfiguration, .textSearchConfiguration, sql))
    }
    return contents
  }
}
