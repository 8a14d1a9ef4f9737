public import ArgumentParser
public import Migrations
import Postgres
import ToolSupport

extension Rehearsal.Origin: ExpressibleByArgument {}

struct Rehearse: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    abstract: "Prove up, down and up on a scratch copy; measure locks and rewrites.",
    discussion: """
      The database itself is only read. Exits with 5 when a down does not restore what was before \
      its up, or a second up differs from the first; with --strict for costly locks too.

      Examples:
        migrate rehearse
        migrate rehearse --from migrations --format github
      """)

  @Option(help: "What the scratch database begins with: database or migrations (nothing).")
  var from = Rehearsal.Origin.database
  @Option(
    help: ArgumentHelp(
      "An empty database to work in; made beside the target when left out.", valueName: "url"))
  var scratch: String?
  @Flag(help: "Every finding that no directive allows is a failure.")
  var strict = false
  @Option(help: "How findings are shown: text, markdown, or github (annotations).")
  var format = FindingsFormat.text
  @OptionGroup var files: FilesOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func run(_ run: Run) throws {
    let migrator = try run.migrator(database)
    run.console.redactor.add(passwordsOf: scratch)
    let place = try scratch.map { try ConnectionTarget($0) }
    let report = try Rehearsal(migrator, scratch: place).run(
      MigrationFiles(folder: files.dir), from: from)
    run.show(json: report.json, text: report.text(format))
    let open = report.findings.filter { $0.isError || strict && $0.silencedBecause == nil }
    guard open.isEmpty else {
      throw ErrorReport(
        .drift, code: "rehearsalFailed",
        "\(open.count) \(open.count == 1 ? "finding needs" : "findings need") work: "
          + Set(open.map(\.name.rawValue)).sorted().joined(separator: ", "))
    }
  }
}
