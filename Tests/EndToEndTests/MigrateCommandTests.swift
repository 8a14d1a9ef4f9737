import Foundation
import TestSupport
import Testing

/// The command line of `migrate`, as hooks and people type it.
@Suite struct MigrateCommandTests {
  private let database: TemporaryDatabase
  private let folder: TestDirectory

  init() throws {
    database = try TemporaryCluster.shared().createDatabase(named: "migrate")
    folder = try TestDirectory()
    for number in 1...3 {
      try folder.write("CREATE TABLE t\(number) (i int);", to: "\(number)_t.up.sql")
      try folder.write("DROP TABLE t\(number);", to: "\(number)_t.down.sql")
    }
  }

  private func migrate(_ arguments: String..., dir: String? = nil) throws -> CommandResult {
    try Command.run(
      BuiltExecutable.migrate, arguments + (dir.map { ["--dir", $0] } ?? []),
      environment: ["DATABASE_URL": database.url, "LOG_FORMAT": "text"], directory: folder.path)
  }

  private func object(_ result: CommandResult) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(result.output))
    guard let object = value as? [String: Any] else { throw TestSupportError(result.text) }
    return object
  }

  @Test func downMinusOneWorksAsWritten() throws {
    #expect(try migrate("up", dir: ".").exitCode == 0)
    // From an empty folder: the files are gone with the release.
    let result = try migrate("down", "-1", dir: "/nowhere")
    #expect(result.exitCode == 0, "\(result.errorText)")
    #expect(result.text.contains("down  3_t"))
    #expect(
      try database.psql("SELECT to_regclass('t3') IS NULL AND to_regclass('t2') IS NOT NULL") == "t"
    )
    #expect(try migrate("down", "--dry-run", "-2", dir: ".").text.contains("DROP TABLE t1"))
    #expect(try migrate("down", "1", "--quiet", dir: ".").text == "")
    #expect(try migrate("current").text == "1_t\n")
  }

  @Test(arguments: [
    ["down"], ["down", "-x"], ["down", "--one"], ["down", "-1", "-1"], ["down", "-1", "--dryrun"],
    ["down", "--dry-rn", "-1"], ["down", "-1x"], ["down", "-0"], ["down", "x"],
    ["down", "--", "-x"],
    ["down", "1", "2"], ["up", "x"], ["up", "-1"], ["up", "--lock-wait", "5"], ["nothing"],
    ["up", "--out-of-order", "maybe"],
  ])
  func aMisspeltCommandLineDoesNothing(_ arguments: [String]) throws {
    #expect(try migrate("up", dir: ".").exitCode == 0)
    let result = try Command.run(
      BuiltExecutable.migrate, arguments,
      environment: ["DATABASE_URL": database.url, "LOG_FORMAT": "text"], directory: folder.path)
    #expect(result.exitCode == 2, "\(arguments): \(result.text)\(result.errorText)")
    #expect(try database.psql("SELECT count(*) FROM pgkeep.migration_history") == "3")
  }

  @Test func jsonIsOneValueOnStandardOutput() throws {
    let up = try object(migrate("up", "--json", dir: "."))
    #expect((up["done"] as? [[String: Any]])?.map { $0["version"] as? String } == ["1", "2", "3"])
    let plan = try object(migrate("up", "--dry-run", "--json", dir: "."))
    #expect((plan["steps"] as? [Any])?.isEmpty == true)
    let status = try object(migrate("status", "--json", dir: "."))
    #expect(status["current"] as? String == "3")
    let current = try object(migrate("current", "--json"))
    #expect((current["current"] as? [String: Any])?["version"] as? String == "3")
    let history = try JSONSerialization.jsonObject(with: Data(migrate("history", "--json").output))
    #expect((history as? [[String: Any]])?.count == 3)
    let made = try object(migrate("new", "add things", "--json", dir: "."))
    #expect((made["up"] as? String)?.hasSuffix("_add_things.up.sql") == true)
    let error = try object(migrate("down", "-9", "--json", dir: "."))
    #expect((error["error"] as? [String: Any])?["code"] as? String == "noSuchStep")
  }

  @Test func eachSchemaIsNamedInJSON() throws {
    try database.psql("CREATE SCHEMA tenant_b; CREATE SCHEMA tenant_a")
    let plan = try object(
      migrate("up", "--dry-run", "--each-schema", "tenant_*", "--json", dir: "."))
    let up = try object(migrate("up", "--each-schema", "tenant_*", "--json", dir: "."))
    for steps in [plan["steps"], up["done"]] {
      let names = (steps as? [[String: Any]])?.map { $0["schema"] as? String }
      #expect(names == ["tenant_a", "tenant_a", "tenant_a", "tenant_b", "tenant_b", "tenant_b"])
    }
    let status = try JSONSerialization.jsonObject(
      with: Data(migrate("status", "--each-schema", "tenant_*", "--json", dir: ".").output))
    #expect(
      (status as? [[String: Any]])?.map { "\($0["schema"] ?? "") \($0["current"] ?? "")" }
        == ["tenant_a 3", "tenant_b 3"])
  }

  @Test func theHistoryLinesUp() throws {
    #expect(try migrate("up", dir: ".").exitCode == 0)
    #expect(try migrate("down", "-1", dir: ".").exitCode == 0)
    let lines = try migrate("history").text.split(separator: "\n")
    #expect(lines.count == 5)
    let columns = Set(
      lines.dropFirst().map {
        $0.distance(from: $0.startIndex, to: $0.firstIndex(of: "_") ?? $0.endIndex)
      })
    #expect(columns.count == 1)
    #expect(lines[0].hasPrefix("WHEN"))
  }

  @Test func anErrorShowsTheLineWithACaret() throws {
    try folder.write("CREATE TABLE ok ();\nSELEC 1;", to: "4_bad.up.sql")
    try folder.write("SELECT 1;", to: "4_bad.down.sql")
    let result = try migrate("up", dir: ".")
    #expect(result.exitCode == 1)
    #expect(result.errorText.contains("4_bad.up.sql:2:1: ERROR: syntax error"))
    #expect(result.errorText.contains("2 | SELEC 1;\n"))
    #expect(result.errorText.contains("| ^"))
    #expect(result.errorText.contains("42601"))
    #expect(result.text.contains("up    3_t"))
    #expect(try database.psql("SELECT to_regclass('ok') IS NULL") == "t")
  }

  @Test func noDatabaseAndAWrongOneAreSaid() throws {
    let none = try Command.run(BuiltExecutable.migrate, ["status"], directory: folder.path)
    #expect(none.exitCode == 8)
    #expect(none.errorText.contains("DATABASE_URL"))
    let missing = try Command.run(
      BuiltExecutable.migrate, ["up", "--dir", "."],
      environment: ["DATABASE_URL": database.cluster.url("nothing_here")], directory: folder.path)
    #expect(missing.exitCode != 0)
    #expect(missing.errorText.contains("nothing_here"))
  }
}
