import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

/// Exports while other sessions make, change, empty and drop tables and replace functions.
///
/// Each of their transactions keeps table and function of one number in step: the function gives
/// the count of the table's rows. A file in which they are not is no state that there ever was.
@Suite struct DDLStormTests {
  private static let rounds = TestScope.isWhole ? 300 : 4

  @Test("A storm of DDL ends in a consistent file or in an error with a name")
  func storm() throws {
    let cluster = try TemporaryCluster.shared()
    let generator = SeededGenerator()
    let source = try cluster.createDatabase()
    defer { try? source.drop() }
    try source.psql("CREATE SCHEMA s; CREATE SCHEMA other")
    let isOver = Monitor(false)
    let group = ThreadGroup(following: Cancellation())
    for session in 0..<2 {
      let connection = Monitor(
        try Connection(
          ConnectionTarget(source.url), ConnectionOptions(applicationName: "storm"),
          cancellation: Cancellation()))
      let seed = generator.seed &+ UInt64(session)
      group.start("storm-\(session)") {
        var random = SeededGenerator(seed: seed)
        while !isOver.update({ $0 }) {
          let change = Self.change(&random)
          // What another session has made, dropped or locked meanwhile is refused.
          connection.update { connection in
            do { try connection.run(change) } catch { try? connection.run("ROLLBACK") }
          }
          // Gusts, with room in between for a schema to be read.
          let isLull = Int.random(in: 0..<8, using: &random) == 0
          try JobPause.milliseconds(UInt32.random(in: isLull ? 400...900 : 0...20, using: &random))
        }
      }
    }
    var files: [[UInt8]] = []
    var made = 0
    do {
      defer { isOver.update { $0 = true } }
      for round in 0..<Self.rounds {
        do { files.append(try ExportFixture.export(source).bytes) } catch let error
          as LogicalBackupError
        {
          #expect([.schemaChanged, .lockNotObtained].contains(error.code), "\(round): \(error)")
        }
        if files.count == 4 || round == Self.rounds - 1 {
          for file in files { try Self.check(file, on: cluster) }
          made += files.count
          files = []
        }
      }
    }
    try group.join()
    print("storm: \(made) files in \(Self.rounds) rounds")
    #expect(made > 0)
  }

  private static func change(_ random: inout SeededGenerator) -> SQLText {
    let number = Int.random(in: 0..<12, using: &random)
    let rows = Int.random(in: 0...50, using: &random)
    let table: SQLText = "s.t\(number)"
    let fill: SQLText = """
      INSERT INTO \(table) SELECT 1 FROM generate_series(1, \(rows));
      CREATE OR REPLACE FUNCTION s.f\(number)() RETURNS int LANGUAGE sql AS 'SELECT \(rows)';
      """
    let body: SQLText
    switch Int.random(in: 0..<7, using: &random) {
    case 0, 1: body = "CREATE TABLE \(table) (a int, b int); \(fill)"
    case 2: body = "TRUNCATE \(table); \(fill)"
    case 3: body = "ALTER TABLE \(table) ALTER a TYPE bigint; TRUNCATE \(table); \(fill)"
    case 4: body = "ALTER TABLE \(table) DROP COLUMN b; ALTER TABLE \(table) ADD COLUMN b text"
    case 5:
      body = """
        ALTER TABLE \(table) RENAME TO old; CREATE TABLE \(table) (a int);
        DROP TABLE s.old; \(fill)
        """
    default: body = "DROP TABLE \(table); DROP FUNCTION s.f\(number)()"
    }
    return "BEGIN; SET LOCAL lock_timeout = '500ms'; \(body); COMMIT"
  }

  private static func check(_ file: [UInt8], on cluster: TemporaryCluster) throws {
    let restored = try cluster.createDatabase()
    defer { try? restored.drop() }
    try ExportFixture.restore(file, into: restored)
    let lost = try restored.psql(
      """
      SELECT c.oid::regclass, p.oid::regprocedure FROM
        (SELECT oid, substr(relname, 2) AS number FROM pg_class
          WHERE relkind = 'r' AND relnamespace = 's'::regnamespace) c
        FULL JOIN (SELECT oid, substr(proname, 2) AS number FROM pg_proc
          WHERE pronamespace = 's'::regnamespace) p USING (number)
      WHERE c.oid IS NULL OR p.oid IS NULL
      """)
    #expect(lost == "")
    let checks = try restored.psql(
      """
      SELECT format('SELECT %L WHERE (SELECT count(*) FROM %s) <> s.f%s();',
        relname, oid::regclass, substr(relname, 2))
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 's'::regnamespace
      """)
    if !checks.isEmpty { #expect(try restored.psql(checks) == "") }
  }
}
