import ByteStream
import Postgres

/// Makes indexes, constraints, triggers and the rest, with several connections at the same time.
struct PostDataRestore: Sendable {
  private let run: RestoreRun
  private let rules: StatementRules
  private let file: LogicalFileReader
  private let index: LogicalIndex
  private let schedule: Monitor<Result<PostDataSchedule, any Error>>
  private let texts: PostDataTexts

  init(
    _ run: RestoreRun, _ file: LogicalFileReader, _ index: LogicalIndex, _ rules: StatementRules
  ) throws {
    self.run = run
    self.rules = rules
    self.file = file
    self.index = index
    schedule = Monitor(.success(PostDataSchedule(index.items)))
    texts = PostDataTexts(file, try index.members(.postData))
  }

  func restore() throws {
    guard !index.items.isEmpty else { return }
    let schedule = schedule
    let group = ThreadGroup(following: run.cancellation) { error in
      schedule.update { $0 = .failure(error) }
    }
    for number in 0..<min(max(1, run.options.jobs), index.items.count) {
      group.start("schema-\(number)") { try work(group.cancellation) }
    }
    try group.join()
  }

  // MARK: Rehearsal

  /// Runs all of the post-data on tables that are still empty, in one transaction that is then
  /// undone, so that what the server or the role cannot do shows before hours of loading rows.
  func rehearse() throws {
    let connection = try run.connect(run.cancellation)
    try connection.run("BEGIN; \(run.transactionPrefix)")
    // Refreshing runs queries that may well fail on empty tables.
    for item in index.items where item.kind != "MATERIALIZED VIEW REFRESH" {
      var isOver = false
      try texts.text(of: item).withUnsafeBytes { text in
        try StatementRunner.forEachStatement(text, file.name) { statement in
          guard !isOver, !rules.omits(statement) else { return }
          isOver = try !rehearse(statement, of: item, connection)
        }
      }
      if isOver { break }
      run.advance(steps: 1)
    }
    try connection.run("ROLLBACK")
    connection.close()
  }

  /// - Returns: false when the server's lock table has no room for more in one transaction.
  private func rehearse(
    _ statement: SQLStatement, of item: ItemRecord, _ connection: Connection
  ) throws -> Bool {
    let steps: (SQLText) -> SQLText = {
      "SAVEPOINT pgkeep; \($0)\(statement.text) RELEASE SAVEPOINT pgkeep"
    }
    do { try connection.run(steps("")) } catch let error as PostgresError
      where error.code == .server
    {
      switch error.sqlState {
      case .some(.outOfMemory): return false
      case .some("25001"):
        // Not for a transaction; it shows in its turn.
        break
      case .some where try rehearseWithSearchPath(error, item, connection, steps): break
      default:
        guard let server = error.server, rules.reasonToPassOver(statement, server) != nil
        else {
          let failure = LogicalBackupError(.statementFailed, "", cause: error)
          var named = named(item, failure)
          named.message += " No rows were loaded."
          throw named
        }
      }
      try connection.run("ROLLBACK TO SAVEPOINT pgkeep; RELEASE SAVEPOINT pgkeep")
    }
    return true
  }

  /// As a restore that may would try it again.
  ///
  /// - Returns: whether that went well; the transaction has to go back to the savepoint in any case.
  private func rehearseWithSearchPath(
    _ error: PostgresError, _ item: ItemRecord, _ connection: Connection,
    _ steps: (SQLText) -> SQLText
  ) throws -> Bool {
    guard run.options.retriesSearchPath, let server = error.server,
      SearchPathRetry.function(server) != nil
    else { return false }
    try connection.run("ROLLBACK TO SAVEPOINT pgkeep; RELEASE SAVEPOINT pgkeep")
    let path = try SearchPathRetry.path(item.schema, connection)
    do {
      try connection.run(steps("SET LOCAL search_path = \(path); "))
      // For later items the object is there, and the path is empty again.
      try connection.run("SET LOCAL search_path = ''; SAVEPOINT pgkeep")
      return true
    } catch let error as PostgresError where error.code == .server {
      return false
    }
  }

  // MARK: Working

  private func work(_ cancellation: Cancellation) throws {
    guard var item = try next() else { return }
    let connection = try run.connect(cancellation)
    let runner = StatementRunner(
      connection, rules: rules, prefix: run.transactionPrefix, name: file.name)
    while true {
      try restore(item, connection, runner)
      let done = item
      schedule.update { schedule in
        if case .success(var now) = schedule {
          // Moved out and back in, lest it be copied.
          schedule = .success(PostDataSchedule([]))
          now.finish(done)
          schedule = .success(now)
        }
      }
      run.advance(steps: 1)
      guard let next = try next() else { break }
      item = next
    }
    run.add(runner)
    connection.close()
  }

  /// Waits for an item that may run; nil when all are taken.
  private func next() throws -> ItemRecord? {
    try schedule.wait { schedule -> ItemRecord?? in
      var now = try schedule.get()
      schedule = .success(PostDataSchedule([]))
      defer { schedule = .success(now) }
      if let item = now.take() { return .some(item) }
      if now.isDone { return .some(nil) }
      if now.isStuck {
        throw LogicalBackupError(
          .damaged, "\(file.name) is damaged: steps of its post-data wait for one another.",
          object: file.name)
      }
      return nil
    }
  }

  private func restore(
    _ item: ItemRecord, _ connection: Connection, _ runner: StatementRunner
  ) throws {
    let text = try texts.text(of: item)
    if run.options.retriesSearchPath { runner.retried = (Self.label(item), item.schema) }
    do { try text.withUnsafeBytes { try runner.run($0) } } catch let
      error
      as LogicalBackupError
    {
      throw named(item, error)
    }
  }

  private func named(_ item: ItemRecord, _ error: LogicalBackupError) -> LogicalBackupError {
    guard error.code == .statementFailed else { return error }
    var message = "The server refused \(Self.label(item)) of \(file.name)."
    if let server = (error.cause as? PostgresError)?.server,
      let function = SearchPathRetry.function(server)
    {
      message += SearchPathRetry.hint(function, wasTried: run.options.retriesSearchPath)
    }
    return LogicalBackupError(
      .statementFailed, message, object: "\(item.name)", cause: error.cause)
  }

  private static func label(_ item: ItemRecord) -> String {
    "\(item.kind) \(item.schema.map { "\($0)." } ?? "")\(item.name)"
  }
}

/// The texts of the post-data's items. Those of the last member that was asked for are kept.
private final class PostDataTexts: Sendable {
  private struct State {
    var reader: MemberReader
    var offset = -1
    var text = Block(capacity: 4 << 20)
  }

  private let members: [Int: MemberRecord]
  private let name: String
  private let state: Monitor<State>

  init(_ file: LogicalFileReader, _ members: [MemberRecord]) {
    self.members = Dictionary(uniqueKeysWithValues: members.map { ($0.offset, $0) })
    name = file.name
    state = Monitor(State(reader: MemberReader(file)))
  }

  func text(of item: ItemRecord) throws -> [UInt8] {
    try state.update { state in
      if state.offset != item.member {
        guard let member = members[item.member] else {
          throw LogicalBackupError(
            .damaged, "\(name) is damaged: an item of its post-data is nowhere.", object: name)
        }
        state.offset = -1
        try state.reader.read(member, into: state.text)
        state.offset = item.member
      }
      let range = item.start..<item.start + item.length
      guard range.upperBound <= state.text.count else {
        throw LogicalBackupError(
          .damaged, "\(name) is damaged: an item of its post-data is cut off.", object: name)
      }
      return Array(state.text.bytes[range])
    }
  }
}
