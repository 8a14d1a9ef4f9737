import ByteStream
import LogicalBackup
import Migrations
import Postgres
import Repository
import ToolSupport

/// A logical backup as the beginning of a rehearsal: its schema, with or without rows.
struct BackupContents: ScratchContents {
  let sizes: [TableSize]
  private let file: LogicalFileReader
  private let hasRows: Bool
  private let hasHistory: Bool
  private let jobs: Int

  init(_ file: LogicalFileReader, hasRows: Bool, jobs: Int) throws {
    self.file = file
    self.hasRows = hasRows
    self.jobs = jobs
    guard try file.kind() == .pgkeep else {
      throw ErrorReport.usage("\(file.name) is no backup of pgkeep's; a rehearsal needs its index.")
    }
    let tables = try file.readIndex().tables
    sizes = tables.map {
      TableSize(name: "\($0.schema).\($0.name)", rows: $0.sum.rows, bytes: $0.sum.bytes)
    }
    hasHistory = tables.contains { $0.schema == "pgkeep" }
  }

  func fill(_ target: ConnectionTarget, cancellation: Cancellation) throws {
    var options = RestoreOptions()
    options.mode = .intoEmpty
    options.jobs = jobs
    options.omitsOwners = true
    options.omitsPrivileges = true
    options.omitsData = !hasRows
    options.analyzes = hasRows
    _ = try LogicalRestorer(target, options, cancellation: cancellation).restore(file)
    guard !hasRows, hasHistory else { return }
    // Which migrations it has is told by rows.
    options = RestoreOptions()
    options.omitsSchema = true
    options.analyzes = false
    options.jobs = 1
    options.schemas = ["pgkeep"]
    _ = try LogicalRestorer(target, options, cancellation: cancellation).restore(file)
  }

  /// What a manifest in the store tells; the backup itself is not read, so no key is needed.
  static func sizes(
    of backup: String, database: String?, _ store: StoreOptions, _ run: Run
  ) throws -> [TableSize] {
    let entry = try run.openRepository(store).catalog(
      database: database, cancellation: run.cancellation
    ).resolve(backup, database: database)
    guard let manifest = entry.manifest else {
      throw ErrorReport(
        .failed, code: "damaged",
        "The manifest of \(entry.id) cannot be read: \(entry.problem ?? "it is missing").")
    }
    return manifest.tables.map {
      TableSize(name: "\($0.schema).\($0.name)", rows: $0.rows, bytes: $0.bytes)
    }
  }
}
