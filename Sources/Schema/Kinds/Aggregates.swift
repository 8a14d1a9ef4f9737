import Postgres

/// `CREATE AGGREGATE`: plain, moving, ordered-set and hypothetical-set ones.
enum Aggregates {
  static func read(_ session: CatalogSession) throws -> KindContents {
    var contents = KindContents()
    let functions: [SQLText] = [
      "aggfinalfn", "aggcombinefn", "aggserialfn", "aggdeserialfn", "aggmtransfn", "aggminvtransfn",
      "aggmfinalfn",
    ].map { "CASE WHEN a.\($0)::pg_catalog.oid <> 0 THEN a.\($0) END" }
    try session.forEach(
      """
      SELECT p.oid, n.nspname, p.proname, pg_catalog.pg_get_userbyid(p.proowner), p.proacl,
        pg_catalog.acldefault('f', p.proowner), pg_catalog.pg_get_function_arguments(p.oid),
        pg_catalog.pg_get_function_identity_arguments(p.oid),
        pg_catalog.oidvectortypes(p.proargtypes), p.proparallel,
        a.aggkind, a.aggtransfn, pg_catalog.format_type(a.aggtranstype, NULL), a.aggtransspace,
        a.agginitval, \(functions.joined(separator: ", ")), a.aggfinalextra, a.aggfinalmodify,
        CASE WHEN a.aggmtranstype <> 0 THEN pg_catalog.format_type(a.aggmtranstype, NULL) END,
        a.aggmtransspace, a.aggminitval, a.aggmfinalextra, a.aggmfinalmodify,
        opn.nspname, op.oprname
      FROM pg_catalog.pg_aggregate a
      JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND \(session.isUserSchema())
      LEFT JOIN pg_catalog.pg_operator op ON op.oid = a.aggsortop
      LEFT JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace
      WHERE \(session.isFree(.procedure, "p.oid"))
      """
    ) { row in
      let named = NamedObject(&row)
      let (granted, initial) = (row.optional(), row.optional())
      let arguments = orStar(row.text())
      let identityArguments = orStar(row.text())
      let types = row.text()
      let sql: SQLText = """
        CREATE AGGREGATE \(named.qualifiedName)(\(arguments)) (
        \(settings(&row))
        );

        """
      var object = SchemaObject(
        ObjectIdentity(.procedure, named.oid), .aggregate, schema: named.schema,
        name: "\(named.name)(\(identityArguments))", owner: named.owner, definition: sql)
      let target: SQLText = "AGGREGATE \(named.qualifiedName)(\(identityArguments))"
      object.ownerTarget = target
      object.commentTarget = target
      // GRANT takes an aggregate for a function of all its arguments.
      object.privileges = Privileges(
        target: "FUNCTION \(named.qualifiedName)(\(types))", kind: .function, owner: named.owner,
        granted: granted, initial: initial)
      contents.objects.append(object)
    }
    return contents
  }

  private static func orStar(_ arguments: SQLText) -> SQLText {
    arguments.isEmpty ? "*" : arguments
  }

  private static func settings(_ row: inout CatalogRow) -> SQLText {
    let parallel = row.letter()
    let kind = row.letter()
    var lines: [SQLText] = ["SFUNC = \(row.text())", "STYPE = \(row.text())"]
    let space = row.int()
    if space != 0 { lines.append("SSPACE = \(space)") }
    if let initial = row.optional() { lines.append("INITCOND = \(initial.quotedLiteral)") }
    let final = row.optional()
    for name in ["COMBINEFUNC", "SERIALFUNC", "DESERIALFUNC", "MSFUNC", "MINVFUNC"] {
      if let function = row.optional() { lines.append("\(name) = \(function)") }
    }
    let movingFinal = row.optional()
    let (extra, modify) = (row.flag(), row.letter())
    let movingType = row.optional()
    let movingSpace = row.int()
    let movingInitial = row.optional()
    let (movingExtra, movingModify) = (row.flag(), row.letter())
    let usual: Character = kind == "n" ? "r" : "w"
    if let final {
      lines.append("FINALFUNC = \(final)")
      if extra { lines.append("FINALFUNC_EXTRA") }
      if modify != usual { lines.append("FINALFUNC_MODIFY = \(modifying(modify))") }
    }
    if let movingType {
      lines.append("MSTYPE = \(movingType)")
      if movingSpace != 0 { lines.append("MSSPACE = \(movingSpace)") }
      if let movingInitial { lines.append("MINITCOND = \(movingInitial.quotedLiteral)") }
      if let movingFinal {
        lines.append("MFINALFUNC = \(movingFinal)")
        if movingExtra { lines.append("MFINALFUNC_EXTRA") }
        if movingModify != usual {
          lines.append("MFINALFUNC_MODIFY = \(modifying(movingModify))")
        }
      }
    }
    let (operatorSchema, operatorName) = (row.text(), row.text())
    if !operatorName.isEmpty {
      lines.append("SORTOP = OPERATOR(\(operatorSchema.quotedIdentifier).\(operatorName))")
    }
    if parallel != "u" { lines.append("PARALLEL = \(parallel == "s" ? "safe" : "restricted")") }
    if kind == "h" { lines.append("HYPOTHETICAL") }
    return lines.map { "    \($0)" as SQLText }.joined(separator: ",\n")
  }

  private static func modifying(_ letter: Character) -> SQLText {
    switch letter {
    case "r": "READ_ONLY"
    case "s": "SHAREABLE"
    default: "READ_WRITE"
    }
  }
}
