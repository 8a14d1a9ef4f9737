import Age
import ByteStream
import ArgumentParser
import Logging
import LogicalBackup
import Postgres
import Repository
import ToolSupport

struct VerifyBackup: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read backups back and check every byte and row of them.",
    discussion: """
      Needs no database, but with --deep: then the backup is also restored into a scratch database \
      beside DATABASE_URL (or --scratch), all its tables are compared, and it is dropped. What was \
      found is stored beside the backup, and shown by backup list.

        backup verify
        backup verify 20261122T020000Z
        backup verify --newest          the newest of each database
        backup verify --all --json
        backup verify --identity key.txt
        backup verify --deep --scratch postgresql://USER@HOST/

      Base backups and WAL, with every gap between them:

        backup verify --cluster
      """)

  static var alerts: Alerts { .failures }

  /// Which backups.
  enum Choice: String, EnumerableFlag {
    case all
    case newest

    static func help(for value: Choice) -> ArgumentHelp? {
      switch value {
      case .all: "Every backup in the store."
      case .newest: "The newest whole backup of each database."
      }
    }
  }

  @Argument(help: "The backup's ID, the beginning of one, or \"latest\" (the default).")
  var id: String?
  @Flag(exclusivity: .exclusive)
  var choice: Choice?
  @Option(help: ArgumentHelp("Only this database's backups.", valueName: "name"))
  var database: String?
  @Flag(help: "Read all base backups and WAL instead, and look for gaps.")
  var cluster = false
  @Flag(help: "Restore it into a scratch database too, and compare every table.")
  var deep = false
  @Option(
    help: ArgumentHelp(
      "With --deep: a server where the role may make databases (DATABASE_URL's).",
      valueName: "url"))
  var scratch: String?
  @Flag(help: "With --deep: leave out owners and grants, whose roles the server may lack.")
  var noOwner = false
  @OptionGroup var opening: OpeningOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    if cluster { return try VerifyClusters(run, try run.openStore(store)).verify() }
    guard id == nil || choice == nil else {
      throw ErrorReport.usage("Give either a backup's ID, or --all, or --newest.")
    }
    guard deep || (scratch == nil && !noOwner) else {
      throw ErrorReport.usage("--scratch and --no-owner are for --deep.")
    }
    let server: ConnectionTarget? =
      deep ? try run.configuration.scratchServer(flag: scratch) : nil
    let repository = try run.openRepository(store)
    let catalog = try repository.catalog(database: database, cancellation: run.cancellation)
    let entries = try chosen(of: catalog)
    let verifier = BackupVerifier(
      repository, identities: try run.configuration.ageIdentities(opening),
      tool: ToolVersion.current, cancellation: run.cancellation)
    var results: [VerifyRendering.Result] = []
    for entry in entries {
      try run.cancellation.check()
      do {
        let found: Proof? = try run.withProgress(
          ProgressState(stage: "verifying \(entry.id)")
        ) { _ in
          try proof(of: entry, in: repository, verifier, server, run)
        }
        results.append(VerifyRendering.Result(entry: entry, proof: found))
      } catch let error as RepositoryError where error.code == .noBackup && choice == .all {
        run.logger.info("\(error)")
      }
    }
    if results.count == 1 {
      run.note("database", .string(results[0].entry.database))
      run.note("id", .string(results[0].entry.id.description))
    }
    let failed = results.filter { !$0.passed }
    guard failed.isEmpty else { throw VerifyRendering.failure(failed, of: results.count) }
    run.conclude(
      json: choice == nil ? VerifyRendering.json(results[0]) : VerifyRendering.json(results),
      text: VerifyRendering.text(results))
  }

  /// The backups to verify; one at least.
  private func chosen(of catalog: BackupCatalog) throws -> [CatalogEntry] {
    guard let choice else { return [try catalog.resolve(id ?? "latest", database: database)] }
    var entries = catalog.entries
    if choice == .newest {
      var newest: [String: CatalogEntry] = [:]
      for entry in entries where entry.isWhole { newest[entry.database] = entry }
      entries = newest.values.sorted { $0.database < $1.database }
    }
    guard !entries.isEmpty else {
      throw ErrorReport(
        .nothingToRestore, code: "noBackup",
        "There is no backup in \(catalog.place) (environment \(catalog.environment)).")
    }
    return entries
  }

  /// Nil for one that is not whole.
  private func proof(
    of entry: CatalogEntry, in repository: BackupRepository, _ verifier: BackupVerifier,
    _ server: ConnectionTarget?, _ run: Run
  ) throws -> Proof? {
    guard case .complete(let manifest) = entry.state else { return nil }
    return try run.reading(entry.names, of: repository) {
      try proof(of: manifest, verifier, server, run)
    }
  }

  private func proof(
    of manifest: Manifest, _ verifier: BackupVerifier, _ server: ConnectionTarget?, _ run: Run
  ) throws -> Proof {
    guard let server else { return try verifier.verify(manifest) }
    var options = RestoreOptions()
    options.jobs = try run.configuration.jobs(flag: nil)
    options.analyzes = false
    options.omitsOwners = noOwner
    options.omitsPrivileges = noOwner
    return try verifier.verifyDeep(manifest, on: server, options)
  }
}
