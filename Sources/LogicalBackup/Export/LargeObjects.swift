import ByteStream
import Postgres

/// Reads large objects: a thousand in a query, and of each no more than a piece at a time.
struct LargeObjects {
  private let connection: Connection
  private let cancellation: Cancellation
  /// Bytes of an object that one row of a query holds.
  private static let piece = 256 << 10
  /// Bytes of text that one statement holds, about.
  private static let statementSize = 1 << 20

  init(_ connection: Connection, _ cancellation: Cancellation) {
    self.connection = connection
    self.cancellation = cancellation
  }

  /// Writes the statements that make the objects, and cuts the objects into batches.
  func create(_ maker: MemberMaker) throws -> [LargeObjectBatch] {
    var batches: [LargeObjectBatch] = []
    var oids: [UInt32] = []
    var inMember = 0
    func flush(isLast: Bool) throws {
      if let first = oids.first, let last = oids.last {
        batches.append(LargeObjectBatch(first: first, last: last, count: oids.count))
        maker.append(
          """
          SELECT pg_catalog.count(pg_catalog.lo_create(o)) AS large_objects
          FROM pg_catalog.unnest('{\(Self.list(oids))}'::pg_catalog.oid[]) o;

          """)
        inMember += oids.count
        oids.removeAll(keepingCapacity: true)
      }
      guard isLast || maker.isFull else { return }
      try maker.finish(.largeObjectCreation) { $0.largeObjects = inMember }
      inMember = 0
    }
    try connection.forEachRow("SELECT oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid") {
      oids.append(UInt32($0.int(0, 0) ?? 0))
      if oids.count == LargeObjectBatch.size { try flush(isLast: false) }
    }
    try flush(isLast: true)
    return batches
  }

  /// Writes the contents of a batch's objects: their first pieces, then, of those that are longer,
  /// the second ones, and so on.
  func export(_ batch: LargeObjectBatch, _ maker: MemberMaker) throws {
    var condition: SQLText = "oid BETWEEN \(batch.first) AND \(batch.last)"
    var offset = 0
    var statement = Statement()
    while true {
      try cancellation.check()
      var longer: [UInt32] = []
      try connection.forEachRow(
        """
        SELECT oid, pg_catalog.lo_get(oid, \(offset), \(Self.piece))
        FROM pg_catalog.pg_largeobject_metadata WHERE \(condition) ORDER BY oid
        """
      ) { row in
        let oid = UInt32(row.int(0, 0) ?? 0)
        row.withBytes(0, 1) { hex in
          // bytea in its hexadecimal form: \x and two digits a byte.
          guard let hex, hex.count > 2 else { return }
          if hex.count == 2 + 2 * Self.piece { longer.append(oid) }
          statement.add(oid, offset, hex, maker.text)
        }
        if statement.bytes >= Self.statementSize { statement.end(maker.text) }
        if maker.isFull {
          statement.end(maker.text)
          try maker.finish(.largeObjectData)
        }
      }
      guard !longer.isEmpty else { break }
      condition = "oid = ANY ('{\(Self.list(longer))}'::pg_catalog.oid[])"
      offset += Self.piece
    }
    statement.end(maker.text)
    try maker.finish(.largeObjectData)
  }

  /// One statement that puts several pieces, while it is written.
  private struct Statement {
    var bytes = 0

    mutating func add(_ oid: UInt32, _ offset: Int, _ hex: UnsafeRawBufferPointer, _ text: Block) {
      let head: SQLText =
        bytes == 0
        ? "SELECT pg_catalog.count(pg_catalog.lo_put(v.o, v.p, v.d)) AS pieces FROM (VALUES\n"
        : ",\n"
      text.append(head.bytes)
      text.append(("(\(oid)::pg_catalog.oid, \(offset)::pg_catalog.int8, '" as SQLText).bytes)
      text.append(hex)
      text.append(("'::pg_catalog.bytea)" as SQLText).bytes)
      bytes += hex.count + 64
    }

    mutating func end(_ text: Block) {
      guard bytes > 0 else { return }
      text.append(("\n) v (o, p, d);\n" as SQLText).bytes)
      bytes = 0
    }
  }

  /// Writes the statements that give the objects their owners, comments and rights, a thousand
  /// objects in one where the server takes lists.
  func access(_ maker: MemberMaker, _ selection: ExportSelection) throws {
    if !selection.omitsOwners { try owners(maker) }
    if !selection.omitsPrivileges { try rights(maker, withOwners: !selection.omitsOwners) }
    try comments(maker)
    try maker.finish(.largeObjectAccess)
  }

  private func owners(_ maker: MemberMaker) throws {
    try forEachGroup(
      """
      SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(lomowner)), oid
      FROM pg_catalog.pg_largeobject_metadata ORDER BY lomowner, oid
      """, columns: 1
    ) { key, oids in
      let body: SQLText = """

        DECLARE o pg_catalog.oid;
        BEGIN
          FOREACH o IN ARRAY '{\(oids)}'::pg_catalog.oid[] LOOP
            EXECUTE 'ALTER LARGE OBJECT ' || o || \((" OWNER TO " + key[0]).quotedLiteral);
          END LOOP;
        END
        """
      maker.append("DO \(FileHeader.dollarQuoted(body));\n")
      if maker.isFull { try maker.finish(.largeObjectAccess) }
    }
  }

  /// - Parameter withOwners: whether owners' own rights are written: without the owners, nobody
  ///   needs to have them.
  private func rights(_ maker: MemberMaker, withOwners: Bool) throws {
    // Where rights were ever granted or revoked, the owner's are listed with the others'.
    if withOwners { try revokeOwners(maker) }
    try forEachGroup(
      """
      SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC'
          ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
        a.privilege_type, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
        CASE WHEN a.grantor <> m.lomowner
          THEN pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantor)) ELSE '' END, m.oid
      FROM pg_catalog.pg_largeobject_metadata m,
        pg_catalog.aclexplode(m.lomacl) WITH ORDINALITY
          a (grantor, grantee, privilege_type, is_grantable, place)
      WHERE \(withOwners ? "true" : "a.grantee <> m.lomowner" as SQLText)
      ORDER BY a.grantor <> m.lomowner, CASE WHEN a.grantor <> m.lomowner THEN a.place END,
        a.grantor, a.grantee, a.privilege_type, a.is_grantable, m.oid
      """, columns: 4
    ) { key, oids in
      let grant: SQLText = "GRANT \(key[1]) ON LARGE OBJECT \(oids) TO \(key[0])\(key[2]);\n"
      // Who was given the option comes after that, as the list of grants has it.
      maker.append(key[3].isEmpty ? grant : "SET ROLE \(key[3]);\n\(grant)RESET ROLE;\n")
      if maker.isFull { try maker.finish(.largeObjectAccess) }
    }
  }

  private func revokeOwners(_ maker: MemberMaker) throws {
    try forEachGroup(
      """
      SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(lomowner)), oid
      FROM pg_catalog.pg_largeobject_metadata WHERE lomacl IS NOT NULL ORDER BY lomowner, oid
      """, columns: 1
    ) { key, oids in
      maker.append("REVOKE ALL ON LARGE OBJECT \(oids) FROM \(key[0]);\n")
      if maker.isFull { try maker.finish(.largeObjectAccess) }
    }
  }

  private func comments(_ maker: MemberMaker) throws {
    try connection.forEachRow(
      """
      SELECT objoid, description FROM pg_catalog.pg_description
      WHERE classoid = 2613 AND objsubid = 0 ORDER BY objoid
      """
    ) { row in
      guard let oid = row.int(0, 0), let comment = row[0, 1] else { return }
      maker.append("COMMENT ON LARGE OBJECT \(oid) IS \(comment.quotedLiteral);\n")
      if maker.isFull { try maker.finish(.largeObjectAccess) }
    }
    try connection.forEachRow(
      """
      SELECT objoid, pg_catalog.quote_ident(provider), label FROM pg_catalog.pg_seclabel
      WHERE classoid = 2613 AND objsubid = 0 ORDER BY objoid, provider
      """
    ) { row in
      guard let oid = row.int(0, 0), let provider = row[0, 1], let label = row[0, 2] else { return }
      maker.append(
        "SECURITY LABEL FOR \(provider) ON LARGE OBJECT \(oid) IS \(label.quotedLiteral);\n")
      if maker.isFull { try maker.finish(.largeObjectAccess) }
    }
  }

  /// Gives the OIDs in the last column of a sorted query, for each value of the columns before, a
  /// thousand at most at a time.
  private func forEachGroup(
    _ sql: SQLText, columns: Int, _ body: ([SQLText], SQLText) throws -> Void
  ) throws {
    var key: [SQLText] = []
    var oids: [UInt32] = []
    func flush() throws {
      if !oids.isEmpty { try body(key, Self.list(oids)) }
      oids.removeAll(keepingCapacity: true)
    }
    try connection.forEachRow(sql) { row in
      let next = (0..<columns).map { row[0, $0] ?? "" }
      if next != key || oids.count == LargeObjectBatch.size { try flush() }
      key = next
      oids.append(UInt32(row.int(0, columns) ?? 0))
    }
    try flush()
  }

  private static func list(_ oids: [UInt32]) -> SQLText {
    oids.map { SQLText(String($0)) }.joined(separator: ",")
  }
}
