import ByteStream
import Postgres

/// Makes indexes, constraints, triggers and the rest, with several connections at the same time.
struct PostDataRestore: Sendable {
  private let run: RestoreRun
  private let file: LogicalFileReader
  private let index: LogicalIndex
  private let schedule: Monitor<Result<PostDataSchedule, any Error>>
  private let texts: PostDataTexts

  init(_ run: RestoreRun, _ file: LogicalFileReader, _ index: LogicalIndex) throws {
    self.run = run
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

  private func work(_ cancellation: Cancellation) throws {
    guard var item = try next() else { return }
    let connection = try run.connect(cancellation)
    let runner = StatementRunner(
      connection, rules: run.rules, prefix: run.transactionPrefix, name: file.name)
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
    do { try text.withUnsafeBytes { try IndexedRestore.run($0, runner, file.name) } } catch let
      error
      as LogicalBackupError
    {
      throw named(item, error)
    }
  }

  private func named(_ item: ItemRecord, _ error: LogicalBackupError) -> LogicalBackupError {
    guard error.code == .statementFailed else { return error }
    let place = item.schema.map { "\($0)." } ?? ""
    return LogicalBackupError(
      .statementFailed, "The server refused \(item.kind) \(place)\(item.name) of \(file.name).",
      object: "\(item.name)", cause: error.cause)
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
