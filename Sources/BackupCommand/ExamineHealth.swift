import ArgumentParser
import Recovery
import Repository
import ToolSupport

struct ExamineHealth: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look whether backups can be made, are made, and can be restored.",
    discussion: """
      One page: the database server, the store, and the backups in it, and what to do about each \
      thing that is not well. Changes nothing; a small object is written into the store and \
      removed again.

        backup doctor
        backup doctor --json --only database.connection --only storage.reachable

      Exit codes: 0 when nothing failed, 1 when something did (with --strict also for warnings), \
      2 and 8 when a setting is wrong or missing and nothing was looked at.
      """)

  @Option(
    help: ArgumentHelp(
      "The most that may be lost, as in 26h, 30m or 2d (BACKUP_RECOVERY_POINT; 26h).",
      valueName: "time"))
  var recoveryPoint: String?
  @Option(help: ArgumentHelp("The longest time for one check (10).", valueName: "seconds"))
  var timeout: Int?
  @Option(
    help: ArgumentHelp(
      "Only this finding, or this area: database, storage, backup; may be repeated.",
      valueName: "name"))
  var only: [String] = []
  @Flag(help: "Exit with 1 for warnings too.")
  var strict = false
  @Option(
    help: ArgumentHelp("Days that backups are kept (BACKUP_RETENTION_DAYS; 30).", valueName: "days")
  )
  var keepDays: Int?
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func validate() throws {
    for name in only where !Doctor.names.contains(where: { $0 == name || $0.hasPrefix(name + ".") })
    {
      throw ValidationError(
        "--only: there is no finding \"\(name)\"; there are \(Doctor.names.joined(separator: ", "))."
      )
    }
  }

  func run(_ run: Run) throws {
    var options = Doctor.Options()
    options.only = only
    options.recoveryPoint =
      try run.configuration.recoveryPoint(flag: recoveryPoint) ?? options.recoveryPoint
    if let seconds = try run.configuration.integer(timeout, "--timeout", nil, in: 1...600) {
      options.limit = .seconds(seconds)
    }
    options.retention = RetentionPolicy(
      keepDays: try run.configuration.retentionDays(flag: keepDays))
    options.recipients = try run.configuration.ageRecipients(flags: [], passphraseFile: nil).count
    let doctor = Doctor(
      try run.database(database), store: try run.storeConfiguration(store),
      environment: run.environmentName, options: options)
    let report = try doctor.examine(cancellation: run.cancellation)
    run.show(json: HealthRendering.json(report), text: HealthRendering.text(report))
    let failed = report.findings.filter { $0.level >= (strict ? .warning : .failure) }
    guard failed.isEmpty else {
      throw ErrorReport(
        .failed, code: "unhealthy",
        "\(Humane.plural(failed.count, "finding")) to act on: "
          + failed.map(\.name).joined(separator: ", ") + ".")
    }
  }
}
