import ByteStream
import Postgres

/// Restores a pgkeep file by its index, with several connections at the same time.
struct IndexedRestore {
  private let run: RestoreRun
  private let file: LogicalFileReader
  private let index: LogicalIndex
  private let selection: RestoreSelection?
  /// Those to fill.
  private let tables: [TableRecord]

  /// - Throws: ``LogicalBackupError/Code/invalidRequest`` when nothing in the backup is what was
  ///   asked for.
  init(
    _ run: RestoreRun, _ file: LogicalFileReader, _ index: LogicalIndex,
    _ selection: RestoreSelection?
  ) throws {
    self.run = run
    self.file = file
    self.index = index
    guard var selection else {
      self.selection = nil
      tables = index.tables
      return
    }
    selection.addPartitions(try Self.attachments(file, index))
    self.selection = selection
    tables = index.tables.filter(selection.contains)
    guard !tables.isEmpty else {
      let some = index.tables.prefix(10).map(\.qualifiedName.string).joined(separator: ", ")
      throw LogicalBackupError(
        .invalidRequest,
        "No table in \(file.name) is what was asked for. It holds \(index.tables.count) tables: "
          + some + (index.tables.count > 10 ? ", …" : "") + ".")
    }
  }

  /// Which table is a partition of which.
  private static func attachments(
    _ file: LogicalFileReader, _ index: LogicalIndex
  ) throws -> [(parent: RelationName, child: RelationName)] {
    var attachments: [(parent: RelationName, child: RelationName)] = []
    let reader = MemberReader(file)
    let text = Block(capacity: 4 << 20)
    for member in try index.members(.preData) {
      try reader.read(member, into: text)
      try StatementRunner.forEachStatement(text.bytes, file.name) { statement in
        if let found = RelationName.attachment(statement) { attachments.append(found) }
      }
    }
    return attachments
  }

  private var rules: StatementRules {
    var rules = run.rules
    rules.selection = selection
    rules.isOfPart = index.facts.isFiltered
    return rules
  }

  /// Does all but making the database and making it visible.
  ///
  /// - Returns: the tables that were filled.
  func restore() throws -> [TableRecord] {
    let facts = index.facts
    run.report { report in
      report.facts = facts
      report.bytes = file.size
      if let note = PartialBackup(facts).note { report.notes.append(note) }
    }
    run.advance(totalBytes: index.offset)
    let needsRehearsal = try Preflight(facts, run).check()
    try run.begin(.preData)
    try checkHeader()
    try runInOrder(.preData)
    let postData = try PostDataRestore(run, file, index, rules)
    if needsRehearsal, !run.options.omitsData, !index.items.isEmpty {
      try run.begin(.rehearsal, totalSteps: index.items.count)
      try postData.rehearse()
    }
    if !run.options.omitsData {
      try run.begin(.data)
      try restoreRows()
      if selection == nil {
        try run.begin(.largeObjects)
        try restoreLargeObjects()
      }
      try run.begin(.sequences)
      try runInOrder(.sequences)
    }
    try run.begin(.postData, totalSteps: index.items.count)
    try postData.restore()
    if selection != nil, index.totals.largeObjects > 0 {
      run.report { report in
        report.notes.append(
          "The backup's \(index.totals.largeObjects) large objects were left out with the tables "
            + "that were not asked for.")
      }
    }
    return tables
  }

  /// Reads the header, whose statements are not needed here: damage is found wherever it is.
  private func checkHeader() throws {
    let reader = MemberReader(file)
    let text = Block(capacity: 64 << 10)
    for member in try index.members(.header) { try reader.read(member, into: text) }
  }

  /// Runs the statements of one kind of members on one connection.
  private func runInOrder(_ kind: MemberKind) throws {
    let connection = try run.connect(run.cancellation)
    let runner = StatementRunner(
      connection, rules: rules, prefix: run.transactionPrefix, name: file.name)
    let reader = MemberReader(file)
    let text = Block(capacity: 4 << 20)
    for member in try index.members(kind) {
      try reader.read(member, into: text)
      try runner.run(text.bytes)
      run.advance(bytes: member.length, steps: 1)
    }
    run.add(runner)
    connection.close()
  }

  // MARK: Rows

  private func restoreRows() throws {
    let all = Dictionary(uniqueKeysWithValues: index.tables.map { ($0.number, $0) })
    let wanted = Set(tables.map(\.number))
    let times = Monitor([Int: Duration]())
    try forEachMemberInParallel("rows", .data, where: { $0.table.map(wanted.contains) ?? true }) {
      member, connection, reader, text in
      guard let number = member.table, let table = all[number] else {
        throw LogicalBackupError(
          .damaged, "\(file.name) is damaged: its index has rows of a table that it does not name.",
          object: file.name)
      }
      let start = ContinuousClock.now
      try reader.read(member, into: text)
      let rows = try reader.rows(of: member, table, in: text)
      try load(text.bytes[rows], of: member, into: table, connection)
      let time = ContinuousClock.now - start
      times.update { $0[number, default: .zero] += time }
    }
    let spent = times.update { $0 }
    run.report { report in
      report.tables = tables.map { table in
        RestoreReport.Table(
          name: table.qualifiedName, rows: table.sum.rows, hash: table.sum.hash,
          time: spent[table.number] ?? .zero)
      }
    }
  }

  private func load(
    _ rows: Slice<UnsafeRawBufferPointer>, of member: MemberRecord, into table: TableRecord,
    _ connection: Connection
  ) throws {
    let taken: Int
    do {
      let copy = try connection.copyIn(table.copyStatement)
      do { try copy.write(UnsafeRawBufferPointer(rebasing: rows)) } catch {
        copy.abort("pgkeep: \(error)")
        throw error
      }
      taken = try copy.finish()
    } catch let error as PostgresError where error.code == .server {
      throw LogicalBackupError(
        .statementFailed, "The server refused rows of \(table.qualifiedName).",
        object: "\(table.qualifiedName)", cause: error)
    }
    guard taken == member.rows else {
      throw LogicalBackupError(
        .verificationFailed,
        "The server took \(taken) of \(member.rows) rows of \(table.qualifiedName). A trigger or "
          + "rule on it may have changed them.", object: "\(table.qualifiedName)")
    }
    run.advance(bytes: member.length, rows: taken, steps: 1)
  }

  // MARK: Large objects

  private func restoreLargeObjects() throws {
    guard index.totals.largeObjects > 0 else { return }
    try runWhole(.largeObjectCreation)
    try runWhole(.largeObjectData)
    try runInOrder(.largeObjectAccess)
    run.report { $0.largeObjects = index.totals.largeObjects }
  }

  /// Runs members that are made of a few statements each, several at a time, each as it is.
  private func runWhole(_ kind: MemberKind) throws {
    try forEachMemberInParallel("objects", kind) { member, connection, reader, text in
      try reader.read(member, into: text)
      do { try connection.run(run.transactionPrefix + SQLText(bytes: text.bytes)) } catch let error
        as PostgresError where error.code == .server
      {
        throw LogicalBackupError(
          .statementFailed, "The server refused large objects of \(file.name).", cause: error)
      }
      run.advance(bytes: member.length, steps: 1)
    }
  }

  // MARK: Connections

  private typealias MemberWork =
    @Sendable (MemberRecord, Connection, MemberReader, Block) throws -> Void

  /// Hands the members of one kind to several threads, each with a connection of its own.
  private func forEachMemberInParallel(
    _ name: String, _ kind: MemberKind,
    where isWanted: @escaping @Sendable (MemberRecord) -> Bool = { _ in true },
    _ body: @escaping MemberWork
  ) throws {
    let channel = BoundedChannel<MemberRecord>(capacity: 64)
    let group = ThreadGroup(following: run.cancellation) { channel.fail($0) }
    group.start("index") {
      try index.forEachMember { member in
        if member.kind == kind, isWanted(member) { try channel.send(member) }
      }
      channel.finish()
    }
    for number in 0..<max(1, run.options.jobs) {
      group.start("\(name)-\(number)") {
        // Nothing is opened for a thread that gets nothing to do.
        guard var member = try channel.receive() else { return }
        let connection = try run.connect(group.cancellation)
        let reader = MemberReader(file)
        let text = Block(capacity: 5 << 20)
        while true {
          try body(member, connection, reader, text)
          guard let next = try channel.receive() else { break }
          member = next
        }
        connection.close()
      }
    }
    try group.join()
  }
}
