import ArgumentParser
import Migrations
import Postgres
import ToolSupport

struct Rehearse: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "rehearse",
    abstract: "Prove up, down and up on a scratch copy; measure locks and rewrites.",
    discussion: """
      The database itself is only read. Exits with 5 when a down does not restore what was before \
      its up, or a second up differs from the first; with --strict for costly locks too.

      Examples:
        migrate rehearse
        migrate rehearse --from migrations --format github
        migrate rehearse --from latest --scratch postgresql://ci@localhost/empty
        migrate rehearse --with-data latest
      """)

  @Option(
    help: ArgumentHelp(
      "What the scratch database begins with: database, migrations (nothing), a file that migrate "
        + "schema wrote (schema.sql), or a backup's schema (latest, its ID or its file).",
      valueName: "origin"))
  var from = "database"
  @Option(
    help: ArgumentHelp(
      "A backup that the scratch database begins with, rows and all.", valueName: "backup"))
  var withData: String?
  @Option(
    help: ArgumentHelp(
      "A backup in the store whose manifest tells how large tables are; the database, or the backup "
        + "of --from, when left out.", valueName: "backup"))
  var sizesFrom: String?
  @Option(
    help: ArgumentHelp(
      "An empty database to work in; made beside the target when left out.", valueName: "url"))
  var scratch: String?
  @Flag(help: "Every finding that is more than a note and that no directive allows is a failure.")
  var strict = false
  @Option(help: "How findings are shown: text, markdown, or github (annotations).")
  var format = FindingsFormat.text
  @OptionGroup var opening: OpeningOptions
  @Option(
    help: ArgumentHelp(
      "Of which database, when the store holds backups of several.", valueName: "name"))
  var backupDatabase: String?
  @OptionGroup var files: FilesOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func validate() throws {
    if withData != nil, from != "database" {
      throw ValidationError(
        "--with-data says what the scratch database begins with: leave out --from")
    }
  }

  func run(_ run: Run) throws {
    run.console.redactor.add(passwordsOf: scratch)
    let place = try scratch.map { try ConnectionTarget($0) }
    let backup = try backup(run)
    let origin = try origin(backup, run)
    // What is no matter of the target needs none.
    var options = database
    let isNamed =
      run.configuration.setting(database.databaseUrl, "", ["DATABASE_URL"]) != nil
    if !isNamed, from != "database" || withData != nil { options.databaseUrl = scratch }
    let sizes = try sizesFrom.map {
      try BackupContents.sizes(of: $0, database: backupDatabase, store, run)
    }
    func rehearse() throws -> Rehearsal.Report {
      try Rehearsal(run.migrator(options), scratch: place, sizes: sizes).run(
        MigrationFiles(folder: files.dir), from: origin)
    }
    let report = try backup?.reading(run, rehearse) ?? rehearse()
    run.show(json: report.json, text: report.text(format))
    let open = report.findings.filter {
      $0.isError || strict && $0.silencedBecause == nil && !$0.isNote
    }
    guard open.isEmpty else {
      throw ErrorReport(
        .drift, code: "rehearsalFailed",
        "\(open.count) \(open.count == 1 ? "finding needs" : "findings need") work: "
          + Set(open.map(\.name.rawValue)).sorted().joined(separator: ", "))
    }
  }

  /// The backup that the scratch database begins with; nil when it begins with something else.
  private func backup(_ run: Run) throws -> BackupSource? {
    let isOther =
      ["database", "migrations"].contains(from) || from.hasSuffix(".sql")
    guard let name = withData ?? (isOther ? nil : from) else { return nil }
    return try BackupSource(name, database: backupDatabase, store: store, opening: opening, run)
  }

  private func origin(_ backup: BackupSource?, _ run: Run) throws -> Rehearsal.Origin {
    switch backup {
    case .file(let file), .stored(let file, _, _):
      return .contents(
        try BackupContents(
          file, hasRows: withData != nil, jobs: run.configuration.jobs(flag: nil)))
    case .standardInput:
      throw ErrorReport.usage("A backup for a rehearsal cannot come through a pipe.")
    case nil: break
    }
    switch from {
    case "database": return .database
    case "migrations": return .migrations
    case "schema.sql": return .schemaFile(path: "\(files.dir)/schema.sql")
    default: return .schemaFile(path: from)
    }
  }
}
