import ByteStream
import Postgres

/// Fills the tables of a database that has its schema already, in one transaction on one
/// connection: all rows come, or none. Triggers fire and constraints hold.
struct DataOnlyRestore {
  private let run: RestoreRun
  private let file: LogicalFileReader
  private let index: LogicalIndex
  private let tables: [TableRecord]
  private let isWhole: Bool

  init(
    _ run: RestoreRun, _ file: LogicalFileReader, _ index: LogicalIndex,
    _ selection: RestoreSelection?
  ) throws {
    self.run = run
    self.file = file
    self.index = index
    isWhole = selection == nil
    tables = selection.map { selection in index.tables.filter(selection.contains) } ?? index.tables
    guard !tables.isEmpty || isWhole else {
      throw LogicalBackupError(
        .invalidRequest, "No table in \(file.name) is what was asked for.", object: file.name)
    }
  }

  /// Does all up to the commit.
  ///
  /// - Returns: the tables that were filled.
  func restore() throws -> [TableRecord] {
    run.report { report in
      report.facts = index.facts
      report.bytes = file.size
      if let note = PartialBackup(index.facts).note { report.notes.append(note) }
    }
    let connection = try run.connect(run.cancellation)
    try connection.transaction {
      // Nobody writes to the tables meanwhile, or what is read back would not be what came.
      let ordered = try lock(connection)
      try connection.run("SET CONSTRAINTS ALL DEFERRED")
      try run.begin(.data, totalSteps: ordered.count)
      var members: [Int: [MemberRecord]] = [:]
      try index.forEachMember { member in
        if let table = member.table { members[table, default: []].append(member) }
      }
      for table in ordered { try fill(table, members[table.number] ?? [], connection) }
      if isWhole { try restoreLargeObjects(connection) }
      try connection.run("SET CONSTRAINTS ALL IMMEDIATE")
      if run.options.verifies {
        try run.begin(.verification, totalSteps: ordered.count)
        for table in ordered { try verify(table, connection) }
        run.report { $0.isVerified = true }
      }
      // Last, since a rollback does not take sequences' values back.
      if isWhole {
        try run.begin(.sequences)
        try runStatements(.sequences, connection)
      }
      try connection.run("SET LOCAL synchronous_commit = on")
    }
    connection.close()
    return tables
  }

  // MARK: Tables

  /// Locks the tables, finds out that they are empty, and puts those that are pointed to first.
  private func lock(_ connection: Connection) throws -> [TableRecord] {
    for table in tables {
      do {
        try connection.run("LOCK TABLE ONLY \(table.qualifiedName) IN EXCLUSIVE MODE")
      } catch let
        error as PostgresError where error.code == .server
      {
        throw LogicalBackupError(
          .targetMissing,
          "The table \(table.qualifiedName) cannot be filled. To restore rows alone, the database "
            + "needs the backup's tables.", object: "\(table.qualifiedName)", cause: error)
      }
      guard
        try connection.query("SELECT FROM ONLY \(table.qualifiedName) LIMIT 1").rowCount == 0
      else {
        throw LogicalBackupError(
          .notEmpty,
          "The table \(table.qualifiedName) holds rows already. Nothing was changed. Empty it first, "
            + "or restore other tables with --table.", object: "\(table.qualifiedName)")
      }
    }
    let rows = try connection.query(
      """
      SELECT DISTINCT n.nspname, c.relname, fn.nspname, f.relname
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
      JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
      WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
      """)
    var parents: [RelationName: [RelationName]] = [:]
    for row in 0..<rows.rowCount {
      let child = RelationName(schema: rows[row, 0] ?? "", name: rows[row, 1] ?? "")
      let parent = RelationName(schema: rows[row, 2] ?? "", name: rows[row, 3] ?? "")
      parents[child, default: []].append(parent)
    }
    // A partitioned table that is pointed to is filled through its partitions.
    let partitions = try connection.query(
      """
      SELECT pn.nspname, p.relname, n.nspname, c.relname FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
      JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE c.relispartition
      """)
    for row in 0..<partitions.rowCount {
      let parent = RelationName(schema: partitions[row, 0] ?? "", name: partitions[row, 1] ?? "")
      let child = RelationName(schema: partitions[row, 2] ?? "", name: partitions[row, 3] ?? "")
      parents[parent, default: []].append(child)
    }
    return Self.ordered(tables, after: parents)
  }

  /// The tables, each after those that it points to, as far as they do not point in a circle.
  static func ordered(
    _ tables: [TableRecord], after parents: [RelationName: [RelationName]]
  ) -> [TableRecord] {
    let known = Dictionary(
      tables.map { (RelationName(schema: $0.schema, name: $0.name), $0) },
      uniquingKeysWith: { first, _ in first })
    var seen: Set<RelationName> = []
    var ordered: [TableRecord] = []
    // Without recursion: a chain of foreign keys can be long.
    for table in tables {
      var stack = [(RelationName(schema: table.schema, name: table.name), false)]
      while let (relation, isLeft) = stack.popLast() {
        if isLeft {
          if let table = known[relation] { ordered.append(table) }
          continue
        }
        guard seen.insert(relation).inserted else { continue }
        stack.append((relation, true))
        for parent in (parents[relation] ?? []).reversed() { stack.append((parent, false)) }
      }
    }
    return ordered
  }

  /// All rows of a table in one statement: its foreign keys to itself are checked at its end.
  private func fill(
    _ table: TableRecord, _ members: [MemberRecord], _ connection: Connection
  ) throws {
    let start = ContinuousClock.now
    let reader = MemberReader(file)
    let text = Block(capacity: 5 << 20)
    if !members.isEmpty {
      do {
        let copy = try connection.copyIn(table.copyStatement)
        do {
          for member in members {
            try reader.read(member, into: text)
            let rows = try reader.rows(of: member, table, in: text)
            try copy.write(UnsafeRawBufferPointer(rebasing: text.bytes[rows]))
            run.advance(bytes: member.length, rows: member.rows)
          }
        } catch {
          copy.abort("pgkeep: \(error)")
          throw error
        }
        let taken = try copy.finish()
        guard taken == table.sum.rows else {
          throw LogicalBackupError(
            .verificationFailed,
            "The server took \(taken) of \(table.sum.rows) rows of \(table.qualifiedName).",
            object: "\(table.qualifiedName)")
        }
      } catch let error as PostgresError where error.code == .server {
        throw LogicalBackupError(
          .statementFailed, "The server refused rows of \(table.qualifiedName).",
          object: "\(table.qualifiedName)", cause: error)
      }
    }
    run.advance(steps: 1)
    run.report { report in
      report.tables.append(
        .init(
          name: table.qualifiedName, rows: table.sum.rows, hash: table.sum.hash,
          time: ContinuousClock.now - start))
    }
  }

  /// Reads the rows back in the transaction that has not been committed.
  private func verify(_ table: TableRecord, _ connection: Connection) throws {
    let columns = table.columns.map(\.quotedIdentifier).joined(separator: ", ")
    let copy = try connection.copyOut(
      """
      COPY (SELECT \(columns) FROM ONLY \(table.qualifiedName) \(table.condition ?? "")) TO STDOUT
      """)
    let block = Block(capacity: 1 << 20)
    var sum = TableSum()
    while try copy.readRows(into: block, limit: 900 << 10) > 0 {
      try sum.add(rows: block.bytes)
      block.reset()
    }
    guard sum.proves(table.sum) else {
      throw LogicalBackupError(
        .verificationFailed,
        "\(TableMismatch(table: table, found: sum)). A trigger may have changed them; nothing was "
          + "restored.", object: "\(table.qualifiedName)")
    }
    run.advance(steps: 1)
  }

  // MARK: The rest

  private func restoreLargeObjects(_ connection: Connection) throws {
    guard index.totals.largeObjects > 0 else { return }
    try run.begin(.largeObjects)
    for kind in [MemberKind.largeObjectCreation, .largeObjectData, .largeObjectAccess] {
      try runStatements(kind, connection)
    }
    run.report { $0.largeObjects = index.totals.largeObjects }
  }

  private func runStatements(_ kind: MemberKind, _ connection: Connection) throws {
    let reader = MemberReader(file)
    let text = Block(capacity: 4 << 20)
    let runner = StatementRunner(connection, rules: run.rules, prefix: "", name: file.name)
    for member in try index.members(kind) {
      try reader.read(member, into: text)
      try runner.run(text.bytes)
      run.advance(bytes: member.length, steps: 1)
    }
    run.add(runner)
  }
}
