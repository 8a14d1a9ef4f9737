import ByteStream
import Postgres

/// Restores a dump in SQL from its beginning to its end: a plain dump of pg_dump's, or a pgkeep
/// file that comes through a pipe. Rows are streamed; one connection.
///
/// Nothing that psql would do beyond sending statements is done: a psql command is an error, apart
/// from `\restrict` and `\unrestrict`, which newer versions of pg_dump write to guard psql.
final class ScriptRestore {
  /// The connection, once there is a database to connect to.
  private final class Session {
    let run: RestoreRun
    let connection: Connection
    let runner: StatementRunner

    init(_ run: RestoreRun, _ name: String, isOfPart: Bool) throws {
      self.run = run
      connection = try run.connect(run.cancellation)
      // Dumps set what they need; those that do not were written for the role's own.
      try connection.run("RESET search_path")
      var rules = run.rules
      rules.isOfPart = isOfPart
      runner = StatementRunner(
        connection, rules: rules, prefix: run.transactionPrefix, name: name)
    }
  }

  private let name: String
  private let makeRun: (DatabaseTraits, String) throws -> RestoreRun
  private var session: Session?
  /// Statements from before it was known what database to make.
  private var early: [SQLStatement] = []
  private var encoding = "UTF8"
  private let lexer = SQLLexer()
  private var script = DumpScript()
  /// The COPY statement whose rows are being read.
  private var copying: (statement: SQLStatement, copy: CopyIn?, rows: Int)?
  private var copyStart = ContinuousClock.now
  private var rows = 0
  private let options: RestoreOptions
  private var omitsData: Bool { options.omitsData }

  /// - Parameters:
  ///   - name: what errors call the file.
  ///   - makeRun: makes the database with these traits, and gives what to fill it with; the text
  ///     is in the encoding given.
  init(
    name: String, _ options: RestoreOptions,
    makeRun: @escaping (DatabaseTraits, String) throws -> RestoreRun
  ) {
    self.name = name
    self.options = options
    self.makeRun = makeRun
    lexer.onComment = { [unowned self] in self.script.read($0) }
  }

  /// Does all but making the database visible.
  ///
  /// - Returns: the tables whose sums the dump tells, to be verified; none when it tells none.
  func restore(_ source: any ByteSource) throws -> (RestoreRun, [TableRecord]) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try source.read(into: buffer)
      guard count > 0 else { break }
      try lexer.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]), take)
      session?.run.advance(bytes: count)
    }
    do { try lexer.finish(take) } catch let error as PostgresError
      where error.code == .invalidScript
    {
      throw LogicalBackupError(
        .truncated, "\(name) ends too early. \(error.message)", object: name, cause: error)
    }
    guard session != nil || !early.isEmpty else {
      throw LogicalBackupError(
        .notABackup, "\(name) holds no SQL statement; it is no dump.", object: name)
    }
    let session = try open()
    try session.runner.flush()
    try script.checkEnd(name: name, rows: omitsData ? script.totals?.rows ?? 0 : rows)
    session.run.add(session.runner)
    let hashes = Dictionary(
      script.tables.map { ($0.qualifiedName, $0.sum.hash) }, uniquingKeysWith: { first, _ in first }
    )
    session.run.report { report in
      report.facts = script.facts
      report.largeObjects = script.totals?.largeObjects ?? 0
      for index in report.tables.indices {
        report.tables[index].hash = hashes[report.tables[index].name]
      }
    }
    session.connection.close()
    return (session.run, script.tables)
  }

  // MARK: Pieces

  private func take(_ piece: SQLPiece) throws {
    switch piece {
    case .statement(let statement): try take(statement)
    case .copyData(let bytes): try takeRows(bytes)
    case .copyEnd: try endRows()
    case .metacommand(let command): try check(command)
    }
  }

  private func check(_ command: SQLMetacommand) throws {
    let isGuard = command.name == "restrict" || command.name == "unrestrict"
    let isPlain = command.arguments.count == 1 && !command.arguments[0].contains("\\")
    if isGuard, isPlain, !command.isInsideStatement { return }
    let hint =
      command.name == "connect" || command.name == "c"
      ? " It changes the database, which a restore into one database must not do: the dump was "
        + "made with pg_dump --create or by pg_dumpall. Dump the database alone."
      : " Restore the file with psql if you trust it."
    throw LogicalBackupError(
      .invalidRequest,
      "\(name), \(command.start): the psql command \\\(command.name) is not executed.\(hint)",
      object: name)
  }

  private func take(_ statement: SQLStatement) throws {
    guard statement.endsWithSemicolon else {
      throw LogicalBackupError(
        .truncated,
        "\(name) ends too early: the statement at \(statement.start) has no end.", object: name)
    }
    try refuse(statement)
    try readSetting(statement)
    if session == nil, statement.words.first == "set", early.count < 100 {
      early.append(statement)
      return
    }
    let session = try open()
    guard statement.isCopyFromStdin else { return try session.runner.add(statement) }
    try session.runner.flush()
    copyStart = .now
    guard !omitsData else {
      copying = (statement, nil, 0)
      return
    }
    do { copying = (statement, try session.connection.copyIn(statement.text), 0) } catch let error
      as PostgresError where error.code == .server
    {
      throw session.runner.failure(statement, error)
    }
  }

  /// What is about the whole server has no place in a restore of one database.
  private func refuse(_ statement: SQLStatement) throws {
    let words = statement.words
    guard words.count > 1, ["create", "drop", "alter"].contains(words[0]),
      ["database", "role", "user", "group", "tablespace", "system"].contains(words[1]),
      !(words[1] == "user" && words.count > 2 && words[2] == "mapping")
    else { return }
    throw LogicalBackupError(
      .invalidRequest,
      "\(name), \(statement.start): \(words[0].uppercased()) \(words[1].uppercased()) is not "
        + "executed. A restore fills one database and changes nothing else on the server; make the "
        + "dump without --create, and of one database.", object: name)
  }

  /// Settings that change how the file itself is to be read.
  private func readSetting(_ statement: SQLStatement) throws {
    guard statement.words.first == "set", statement.words.count > 1 else { return }
    let value = statement.text.string.split { " ='\";\n\t\r".contains($0) }.last ?? ""
    switch statement.words[1] {
    case "client_encoding":
      let upper = value.uppercased().replacing("-", with: "_")
      let unsafe = ["SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"]
      guard !unsafe.contains(upper) else {
        throw LogicalBackupError(
          .unsupported,
          "\(name), \(statement.start): text in the encoding \(value) cannot be told apart safely. "
            + "Dump with pg_dump --encoding=UTF8.", object: name)
      }
      if session == nil { encoding = String(value) }
    case "standard_conforming_strings":
      lexer.standardConformingStrings = ["on", "true", "1", "yes"].contains(value.lowercased())
    default: break
    }
  }

  private func open() throws -> Session {
    if let session { return session }
    // Text of no particular encoding can only go where any bytes may. For the rest the server
    // converts.
    let isBytes = encoding.uppercased() == "SQL_ASCII"
    let traits = DatabaseTraits(
      encoding: isBytes ? "SQL_ASCII" : nil,
      locale: isBytes ? .init(provider: .libc, collate: "C", ctype: "C") : nil)
    try script.partial?.check(options, name)
    let run = try makeRun(traits, encoding)
    if let note = script.partial?.note { run.report { $0.notes.append(note) } }
    try run.begin(.data)
    let session = try Session(run, name, isOfPart: script.partial != nil)
    self.session = session
    for statement in early { try session.runner.add(statement) }
    early = []
    return session
  }

  // MARK: Rows

  private func takeRows(_ bytes: UnsafeRawBufferPointer) throws {
    guard let copy = copying?.copy, let session else { return }
    let count = bytes.count { $0 == UInt8(ascii: "\n") }
    copying?.rows += count
    do { try copy.write(bytes) } catch {
      copy.abort("pgkeep: \(error)")
      throw error
    }
    session.run.advance(rows: count)
  }

  private func endRows() throws {
    guard let (statement, copy, lines) = copying, let session else { return }
    copying = nil
    guard let copy else {
      return session.run.report {
        $0.skipped.append("rows: \(StatementRunner.headline(statement))")
      }
    }
    let taken: Int
    do { taken = try copy.finish() } catch let error as PostgresError where error.code == .server {
      throw session.runner.failure(statement, error)
    }
    let isText = !statement.text.string.lowercased().contains("csv")
    guard taken == lines || !isText else {
      throw LogicalBackupError(
        .verificationFailed,
        "\(name), \(statement.start): the server took \(taken) of \(lines) rows.", object: name)
    }
    rows += taken
    let table = Self.table(of: statement)
    let time = ContinuousClock.now - copyStart
    session.run.report { report in
      // A pgkeep file brings a table's rows in several statements.
      if let index = report.tables.lastIndex(where: { $0.name == table }) {
        report.tables[index].rows += taken
        report.tables[index].time += time
      } else {
        report.tables.append(.init(name: table, rows: taken, hash: nil, time: time))
      }
    }
  }

  /// The name between COPY and the columns, as it is written.
  private static func table(of statement: SQLStatement) -> SQLText {
    var name: [UInt8] = []
    var isQuoted = false
    for byte in statement.text.bytes.dropFirst(4) {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      let isSpace = byte == 0x20 || (9...13).contains(byte)
      if !isQuoted, byte == UInt8(ascii: "(") || isSpace && !name.isEmpty { break }
      if isQuoted || !isSpace { name.append(byte) }
    }
    return SQLText(bytes: name)
  }
}
