import Postgres
import Testing

@testable import LogicalBackup

@Suite struct StatementRulesTests {
  private func statement(_ sql: String) throws -> SQLStatement {
    var found: [SQLStatement] = []
    let lexer = SQLLexer()
    let take: (SQLPiece) -> Void = { if case .statement(let one) = $0 { found.append(one) } }
    try lexer.feed(Array(sql.utf8), take)
    try lexer.finish(take)
    return try #require(found.first)
  }

  @Test(arguments: [
    ("ALTER TABLE public.t OWNER TO app;", true),
    ("ALTER FUNCTION public.\"f OWNER TO x\"(integer, text)\n  owner  to \"odd \"\"role\" ;", true),
    ("ALTER TABLE t OWNER TO \"OWNER TO\";", true), ("alter table t owner to x", true),
    ("ALTER TABLE \"OWNER TO x\" RENAME TO y;", false),
    ("ALTER TABLE t ADD CONSTRAINT \"OWNER TO x\";", false),
    ("ALTER TABLE t SET (a = 1);", false), ("ALTER TABLE t RENAME TO owner;", false),
    ("COMMENT ON TABLE t IS 'OWNER TO x';", false), ("ALTER;", false),
  ])
  func knowsOwners(sql: String, isOwner: Bool) throws {
    #expect(StatementRules.setsOwner(try statement(sql)) == isOwner)
    #expect(StatementRules(omitsOwners: true).omits(try statement(sql)) == isOwner)
    #expect(!StatementRules(omitsPrivileges: true).omits(try statement(sql)))
  }

  @Test(arguments: [
    "GRANT SELECT ON t TO x;", "REVOKE ALL ON t FROM PUBLIC;",
    "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b;",
  ])
  func knowsPrivileges(sql: String) throws {
    #expect(StatementRules(omitsPrivileges: true).omits(try statement(sql)))
    #expect(!StatementRules().omits(try statement(sql)))
  }

  @Test(arguments: [
    ("COMMENT ON EXTENSION x IS 'y';", "42501", true),
    ("COMMENT ON EXTENSION x IS 'y';", "42704", false),
    ("COMMENT ON TABLE x IS 'y';", "42501", false),
    ("ALTER SCHEMA public OWNER TO x;", "42501", true),
    ("ALTER SCHEMA public OWNER TO x;", "42704", true),
    ("ALTER SCHEMA other OWNER TO x;", "42501", false),
    ("ALTER TABLE public.t OWNER TO x;", "42501", false),
    ("CREATE SCHEMA public;", "42P06", true), ("CREATE SCHEMA s;", "42P06", false),
    ("SET transaction_timeout = 0;", "42704", true), ("SET work_mem = 'x';", "22023", false),
    ("GRANT ALL ON SCHEMA public TO x;", "42501", false),
    ("CREATE EXTENSION x;", "42501", false),
  ])
  func passesOverWhatLosesNothing(sql: String, state: String, isPassedOver: Bool) throws {
    let error = ServerMessage(sqlState: SQLState(state), message: "m")
    let reason = StatementRules().reasonToPassOver(try statement(sql), error)
    #expect((reason != nil) == isPassedOver)
  }
}
