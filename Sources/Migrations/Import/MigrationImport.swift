public import ByteStream
import Glibc
import Postgres

/// Takes over another tool's migrations: its files become ours, and what its history says is
/// applied is recorded in ours, so that a running service changes tools without a gap. The other
/// tool's table stays as it is.
public struct MigrationImport: Sendable {
  public let tool: ForeignTool
  /// The files that were or would be written, in order.
  public let files: [String]
  /// What could not be converted. Nothing is written or recorded then.
  public let problems: [MigrationProblem]
  /// Names of migrations that were recorded as applied.
  public internal(set) var recorded: [String] = []

  private let converted: [(name: String, text: SQLText)]
  private let migrations: [ForeignMigration]
  private let alembicParents: [String: [String]]

  /// Reads and converts the files of `tool` at `path`. Blocks; for Alembic it runs `alembic`.
  ///
  /// - Parameters:
  ///   - path: the folder with the files; for Alembic, the one with `alembic.ini`.
  ///   - alembic: the program.
  public init(
    _ tool: ForeignTool, path: String, alembic: String = "alembic",
    cancellation: Cancellation = Cancellation()
  ) throws {
    self.tool = tool
    var read: ForeignFiles
    var parents: [String: [String]] = [:]
    switch tool {
    case .alembic:
      let reader = AlembicReader(program: alembic, folder: path, cancellation: cancellation)
      (read, parents) = try reader.read()
    case .dbmate: read = try ForeignFiles(folder: path, DbmateReader())
    case .goose: read = try ForeignFiles(folder: path, GooseReader())
    case .golangMigrate, .sqlx: read = try ForeignFiles(folder: path, PairReader(tool: tool))
    case .flyway:
      read = try ForeignFiles(folder: path, FlywayReader())
      FlywayReader.number(&read)
    }
    for migration in read.migrations where migration.up.isEmpty {
      read.problems.append(
        MigrationProblem(file: migration.id, message: "there is a way back, but no way up"))
    }
    alembicParents = parents
    migrations = read.migrations
    problems = read.problems
    converted = Self.converted(read, tool)
    files = converted.map(\.name)
    guard problems.isEmpty else { return }
    // What we write has to be what we read.
    let checked = try MigrationFiles(files: converted.map { ($0.name, $0.text.bytes) })
    for migration in checked.migrations { _ = try migration.up.statements() }
  }

  /// Writes the files into `folder`. A file that is there already with the same text stays.
  ///
  /// - Throws: ``MigrationsError/Code/invalidFiles``, before anything is written, when a file is
  ///   there with another text.
  public func write(to folder: String) throws(MigrationsError) {
    try refuseProblems()
    let directory = Folder(path: folder)
    if mkdir(folder, 0o777) != 0, errno != EEXIST {
      let reason = Folder.Errno(number: errno)
      throw MigrationsError(.invalidFiles, "Cannot make the folder \(folder): \(reason)")
    }
    var missing: [(name: String, text: SQLText)] = []
    for file in converted {
      guard let present = try? directory.read(file.name) else {
        missing.append(file)
        continue
      }
      guard present == file.text.bytes else {
        throw MigrationsError(
          .invalidFiles,
          "\(directory.file(file.name)) is there already, with another text. Nothing was written.")
      }
    }
    for file in missing {
      try NewMigration.write(directory.file(file.name), file.text.bytes)
    }
  }

  /// Records in the history what the other tool's history says is applied.
  ///
  /// - Returns: the names of what was recorded; what was known already is left out.
  public mutating func adopt(_ migrator: Migrator.Blocking) throws {
    try refuseProblems()
    let files = try MigrationFiles(files: converted.map { ($0.name, $0.text.bytes) })
    var options = migrator.options
    options.searchPath = nil
    let session = try MigrationSession(
      migrator.target, options, cancellation: migrator.cancellation, migrator.emit)
    let foreign = try session.asMigration { try ForeignHistory(tool, $0) }
    let applied = closure(foreign)
    let state = AppliedState(try session.history.entries())
    recorded = []
    try session.lock.connection.transaction {
      for migration in migrations where applied(migration) {
        guard state.applied(migration.version) == nil,
          let file = files.migration(migration.version)
        else { continue }
        _ = try session.history.add(
          NewHistoryRow(
            version: file.version, name: file.name, direction: .up, outcome: .imported,
            upChecksum: file.up.checksum, downChecksum: file.down?.checksum, upText: file.up.text,
            downText: file.down?.text, host: HostName.current, toolVersion: options.toolVersion))
        recorded.append(file.title)
      }
    }
    if !recorded.isEmpty { try migrator.recordPresent(session) }
  }

  /// Alembic keeps the heads only: what they stand on is applied too.
  private func closure(_ foreign: ForeignHistory) -> (ForeignMigration) -> Bool {
    guard tool == .alembic else {
      let isPlain = !migrations.contains { $0.id.contains(".") }
      return { foreign.isApplied($0, tool, isPlain: isPlain) }
    }
    var applied: Set<String> = []
    var open = Array(foreign.applied)
    while let revision = open.popLast() {
      if applied.insert(revision).inserted { open += alembicParents[revision] ?? [] }
    }
    return { applied.contains($0.id) }
  }

  private func refuseProblems() throws(MigrationsError) {
    guard !problems.isEmpty else { return }
    throw MigrationsError(
      .invalidFiles, "Not all of \(tool.rawValue)'s migrations can be converted; nothing was done:",
      problems: problems)
  }

  private static func converted(
    _ files: ForeignFiles, _ tool: ForeignTool
  ) -> [(name: String, text: SQLText)] {
    var result: [(name: String, text: SQLText)] = []
    for migration in files.migrations {
      var head: SQLText = "-- Taken over from \(tool.rawValue), \(migration.id).\n"
      let isReversible = migration.down != nil
      if !migration.isUpTransactional { head += "-- pgkeep: no-transaction\n" }
      if !isReversible { head += "-- pgkeep: irreversible \(tool.rawValue) had no way back\n" }
      result.append(("\(migration.title).up.sql", head + "\n" + migration.up.trimmed))
      guard let down = migration.down else { continue }
      var mark: SQLText = "-- Taken over from \(tool.rawValue), \(migration.id).\n"
      if !migration.isDownTransactional { mark += "-- pgkeep: no-transaction\n" }
      result.append(("\(migration.title).down.sql", mark + "\n" + down.trimmed))
    }
    for file in files.repeatables {
      result.append(("R__\(file.name).sql", file.text.trimmed))
    }
    return result
  }
}

extension SQLText {
  /// Without blank lines around it, and with a newline at its end.
  fileprivate var trimmed: SQLText {
    var bytes = bytes[...]
    while let first = bytes.first, first == 0x0A || first == 0x20 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x0A || last == 0x20 || last == 0x09 {
      bytes.removeLast()
    }
    return SQLText(bytes: bytes + [0x0A])
  }
}
