import ArgumentParser
import Migrations
import ToolSupport

struct Verify: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Hold the files against the history, for CI.",
    discussion: """
      Exits with 5 when something is changed, missing, out of order or unfinished.

      Examples:
        migrate verify
        migrate verify --check
      """)

  @Flag(help: "A migration that is not applied is a finding too.")
  var check = false
  @OptionGroup var files: FilesOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let verification = try run.migrator(database).verify(
      MigrationFiles(folder: files.dir), wantsAllApplied: check)
    guard !verification.isClean else {
      return run.conclude(
        json: verification.json, text: "The files are what the history says.\n")
    }
    throw ErrorReport(
      .drift, code: "drift", "The files are not what the history says:",
      facts: verification.findings.map { .init($0.kind.rawValue, "\($0.title): \($0.advice)") })
  }
}
