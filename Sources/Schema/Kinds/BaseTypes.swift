import Postgres

/// `CREATE TYPE` of base types, and of shells that were never filled.
enum BaseTypes {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    let functions = [
      "typinput", "typoutput", "typreceive", "typsend", "typmodin", "typmodout", "typanalyze",
      "typsubscript",
    ]
    // A missing function is 0 and no name.
    let names = functions.map { name -> SQLText in
      "CASE WHEN t.\(name)::pg_catalog.oid <> 0 THEN t.\(name) END"
    }
    try session.forEach(
      """
      SELECT \(TypeRow.columns), t.typisdefined, \(names.joined(separator: ", ")),
        t.typlen, t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typispreferred,
        pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass),
        t.typdefault, CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END,
        t.typdelim, t.typcollation <> 0
      FROM \(TypeRow.source(session))
      WHERE (t.typtype = 'b' OR (t.typtype = 'p' AND NOT t.typisdefined))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e
          WHERE e.oid = t.typelem AND e.typarray = t.oid)
      """
    ) { row in
      let type = TypeRow(&row)
      guard row.flag() else {
        contents.objects.append(
          type.object(.shellType, "CREATE TYPE \(type.qualifiedName);\n" as SQLText))
        return
      }
      contents.objects.append(type.object(.baseType, definition(type, &row)))
    }
    return contents
  }

  private static func definition(_ type: TypeRow, _ row: inout CatalogRow) -> SQLText {
    var lines: [SQLText] = []
    for name in [
      "INPUT", "OUTPUT", "RECEIVE", "SEND", "TYPMOD_IN", "TYPMOD_OUT", "ANALYZE", "SUBSCRIPT",
    ] {
      if let function = row.optional() { lines.append("\(name) = \(function)") }
    }
    let length = row.int()
    lines.append("INTERNALLENGTH = \(length < 0 ? "VARIABLE" : "\(length)" as SQLText)")
    if row.flag() { lines.append("PASSEDBYVALUE") }
    switch row.letter() {
    case "c": lines.append("ALIGNMENT = char")
    case "s": lines.append("ALIGNMENT = int2")
    case "d": lines.append("ALIGNMENT = double")
    default: lines.append("ALIGNMENT = int4")
    }
    switch row.letter() {
    case "e": lines.append("STORAGE = external")
    case "x": lines.append("STORAGE = extended")
    case "m": lines.append("STORAGE = main")
    default: lines.append("STORAGE = plain")
    }
    let category = row.text()
    if category != "U" { lines.append("CATEGORY = \(category.quotedLiteral)") }
    if row.flag() { lines.append("PREFERRED = true") }
    let (expression, literal) = (row.optional(), row.optional())
    if let value = expression ?? literal.map(\.quotedLiteral) { lines.append("DEFAULT = \(value)") }
    if let element = row.optional() { lines.append("ELEMENT = \(element)") }
    let delimiter = row.text()
    if delimiter != "," { lines.append("DELIMITER = \(delimiter.quotedLiteral)") }
    if row.flag() { lines.append("COLLATABLE = true") }
    let body = lines.map { "    \($0)" as SQLText }.joined(separator: ",\n")
    return "CREATE TYPE \(type.qualifiedName) (\n\(body)\n);\n"
  }
}
