import Postgres

/// `CREATE COLLATION` and `CREATE CONVERSION`.
enum Collations {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    let locale = session.since(
      17, "c.colllocale", else: session.since(15, "c.colliculocale", else: "NULL::text"))
    try session.forEach(
      """
      SELECT c.oid, n.nspname, c.collname, pg_catalog.pg_get_userbyid(c.collowner),
        c.collprovider, c.collisdeterministic, c.collcollate, c.collctype, \(locale),
        \(session.since(16, "c.collicurules", else: "NULL::text"))
      FROM pg_catalog.pg_collation c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace AND \(session.isUserSchema())
      WHERE \(session.isFree(.collation, "c.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      let provider = row.letter()
      let isDeterministic = row.flag()
      let (collate, type, locale) = (row.text(), row.text(), row.optional())
      var settings: [SQLText] = []
      switch provider {
      case "i": settings.append("provider = icu")
      case "b": settings.append("provider = builtin")
      case "d": settings.append("provider = default")
      default: settings.append("provider = libc")
      }
      if !isDeterministic { settings.append("deterministic = false") }
      // Before 15, an ICU collation's locale stood in the columns of libc's.
      if let locale = locale ?? (provider == "i" || collate == type ? collate : nil) {
        if provider != "d" { settings.append("locale = \(locale.quotedLiteral)") }
      } else {
        settings.append("lc_collate = \(collate.quotedLiteral)")
        settings.append("lc_ctype = \(type.quotedLiteral)")
      }
      if let rules = row.optional() { settings.append("rules = \(rules.quotedLiteral)") }
      contents.objects.append(
        named.object(
          .collation, .collation,
          "CREATE COLLATION \(named.qualifiedName) (\(settings.joined(separator: ", ")));\n"))
    }
    contents.merge(try conversions(session))
    return contents
  }

  private static func conversions(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    try session.forEach(
      """
      SELECT c.oid, n.nspname, c.conname, pg_catalog.pg_get_userbyid(c.conowner), c.condefault,
        pg_catalog.pg_encoding_to_char(c.conforencoding),
        pg_catalog.pg_encoding_to_char(c.contoencoding), c.conproc
      FROM pg_catalog.pg_conversion c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace AND \(session.isUserSchema())
      WHERE \(session.isFree(.conversion, "c.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      let sql: SQLText = """
        CREATE \(row.flag() ? "DEFAULT " : "")CONVERSION \(named.qualifiedName) \
        FOR \(row.text().quotedLiteral) TO \(row.text().quotedLiteral) FROM \(row.text());

        """
      contents.objects.append(named.object(.conversion, .conversion, sql))
    }
    return contents
  }
}
