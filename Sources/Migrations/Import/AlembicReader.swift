import ByteStream
import Postgres

/// Alembic's migrations are Python, so the real `alembic` is asked for their SQL, in its offline
/// mode: `upgrade base:heads --sql`, and `downgrade HEAD:base --sql` for each head. Both name each
/// revision in a comment, `-- Running upgrade A -> B`. Several heads become one line, in the order
/// that `alembic history` has.
struct AlembicReader {
  let program: String
  /// The folder with `alembic.ini`.
  let folder: String
  let cancellation: Cancellation

  /// - Returns: the migrations in the order in which they run, and each one's parents.
  func read() throws -> (ForeignFiles, parents: [String: [String]]) {
    let history = try run(["history", "--verbose"])
    guard history.status != 127 else {
      throw MigrationsError(
        .invalidFiles,
        "Cannot run \(program): put the Python environment that has it into PATH, or name it with "
          + "--alembic.")
    }
    guard history.status == 0 else {
      throw MigrationsError(
        .invalidFiles, "alembic history failed in \(folder):\n\(history.errorOutput.suffix(2000))")
    }
    let revisions = AlembicHistory(String(decoding: history.output, as: UTF8.self)).revisions
    guard !revisions.isEmpty else {
      throw MigrationsError(.invalidFiles, "alembic has no revisions in \(folder)")
    }
    var files = ForeignFiles()
    var ups: [String: AlembicOutput.Section] = [:]
    var downs: [String: AlembicOutput.Section] = [:]
    try collect(["upgrade"], from: "base", to: "heads", revisions, &ups, &files.problems)
    let inner = Set(revisions.flatMap(\.parents))
    for head in revisions where !inner.contains(head.id) {
      try collect(["downgrade"], from: head.id, to: "base", revisions, &downs, &files.problems)
    }
    let broken = Set(files.problems.map(\.file))
    var last: UInt64 = 0
    for revision in revisions where !broken.contains(revision.id) {
      last = max(last + 1, revision.created ?? 0)
      guard let version = MigrationVersion("\(last)") else { continue }
      let name = NewMigration.fileName(revision.message.lowercased())
      // A merge of two heads does nothing itself, and a file wants a statement.
      let up = ups[revision.id] ?? .empty
      let down = downs[revision.id] ?? .empty
      files.migrations.append(
        ForeignMigration(
          id: revision.id, version: version, name: name.isEmpty ? revision.id : name,
          up: up.text.isEmpty ? "SELECT;" : up.text,
          down: down.text.isEmpty ? "SELECT;" : down.text,
          isUpTransactional: up.isTransactional, isDownTransactional: down.isTransactional))
    }
    return (files, Dictionary(revisions.map { ($0.id, $0.parents) }, uniquingKeysWith: { $1 }))
  }

  /// Reads one way. When a revision stops alembic (it asks the database), it is noted and the rest
  /// is read from there on.
  private func collect(
    _ command: [String], from start: String, to end: String,
    _ revisions: [AlembicHistory.Revision], _ sections: inout [String: AlembicOutput.Section],
    _ problems: inout [MigrationProblem]
  ) throws {
    let isUp = command == ["upgrade"]
    var start = start
    while true {
      let result = try run(command + ["\(start):\(end)", "--sql"])
      var output = try AlembicOutput(result.output, isUp: isUp)
      guard result.status != 0 else {
        sections.merge(output.sections) { old, _ in old }
        return
      }
      let reason = result.errorOutput.split(separator: "\n").last.map(String.init) ?? ""
      guard let stopped = output.lastRevision, !problems.contains(where: { $0.file == stopped })
      else {
        let told = problems.isEmpty ? ": \(reason)" : ""
        guard problems.isEmpty else { return }
        throw MigrationsError(
          .invalidFiles, "alembic \(command[0]) \(start):\(end) --sql failed in \(folder)\(told)")
      }
      output.sections[stopped] = nil
      sections.merge(output.sections) { old, _ in old }
      problems.append(
        MigrationProblem(
          file: stopped,
          message: "alembic cannot tell its SQL (\(isUp ? "upgrade" : "downgrade")): \(reason). "
            + "Write it by hand."))
      if isUp {
        start = stopped
      } else {
        guard let parent = revisions.first(where: { $0.id == stopped })?.parents.first else {
          return
        }
        start = parent
      }
    }
  }

  private func run(_ arguments: [String]) throws -> Subprocess.Result {
    try Subprocess.run(program, arguments, in: folder, cancellation: cancellation)
  }
}
