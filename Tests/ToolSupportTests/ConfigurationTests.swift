import Logging
import ObjectStore
import Postgres
import Testing
import ToolSupport

@Suite struct ConfigurationTests {
  private func configuration(_ values: [String: String] = [:]) -> Configuration {
    Configuration(Environment(values))
  }

  @Test func flagsGoBeforeVariables() throws {
    let it = configuration([
      "DATABASE_URL": "postgresql://a@env/one", "ENVIRONMENT": "staging",
      "BACKUP_STORE": "file:///env", "BACKUP_RETENTION_DAYS": "7",
    ])
    #expect(try it.database(flag: nil).host == "env")
    #expect(try it.database(flag: "postgresql://a@flag/one").host == "flag")
    #expect(try it.environmentName(flag: nil) == "staging")
    #expect(try it.environmentName(flag: "production") == "production")
    #expect(try it.storeLocation(flag: nil) == .directory(path: "/env"))
    #expect(try it.retentionDays(flag: nil) == 7)
    #expect(try it.retentionDays(flag: 3) == 3)
  }

  @Test func hasDefaults() throws {
    let it = configuration(["ENVIRONMENT": ""])
    #expect(try it.environmentName(flag: nil) == "default")
    #expect(try it.retentionDays(flag: nil) == 30)
    #expect(try it.retentionDays(flag: nil, hasOtherRules: true) == 0)
    #expect(try it.logLevel(quiet: false) == .info)
    #expect(try it.logFormat(flag: nil, isTerminal: true) == .text)
    #expect(try it.logFormat(flag: nil, isTerminal: false) == .json)
  }

  @Test func namesWhatIsMissing() {
    let it = configuration()
    expect(.configuration, "DATABASE_URL is not set") { _ = try it.database(flag: nil) }
    expect(.configuration, "RESTORE_URL is not set") { _ = try it.restoreTarget(flag: nil) }
    expect(.configuration, "BACKUP_STORE is not set") { _ = try it.storeLocation(flag: nil) }
  }

  @Test func namesWhatIsWrong() {
    let it = configuration([
      "DATABASE_URL": "sqlite:///app.db", "ENVIRONMENT": "../etc", "LOG_LEVEL": "loud",
      "LOG_FORMAT": "xml", "BACKUP_RETENTION_DAYS": "-3",
    ])
    expect(.usage, "DATABASE_URL: This is an SQLite URL") { _ = try it.database(flag: nil) }
    expect(.usage, "--database-url: ") { _ = try it.database(flag: "mysql://h/d") }
    expect(.usage, "ENVIRONMENT: \"../etc\"") { _ = try it.environmentName(flag: nil) }
    expect(.usage, "--environment: \"a b\"") { _ = try it.environmentName(flag: "a b") }
    expect(.usage, "LOG_LEVEL: \"loud\"") { _ = try it.logLevel(quiet: false) }
    expect(.usage, "LOG_FORMAT: \"xml\"") { _ = try it.logFormat(flag: nil, isTerminal: true) }
    expect(.usage, "BACKUP_RETENTION_DAYS: \"-3\"") { _ = try it.retentionDays(flag: nil) }
    expect(.usage, "--keep-days: \"-1\"") { _ = try it.retentionDays(flag: -1) }
  }

  private func expect(_ status: ToolSupport.ExitStatus, _ words: String, _ body: () throws -> Void)
  {
    let report = #expect(throws: ErrorReport.self) { try body() }
    #expect(report?.status == status)
    #expect(report?.message.hasPrefix(words) == true, "\(report?.message ?? "")")
  }
}
