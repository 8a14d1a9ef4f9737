import ByteStream
import Postgres
import TestSupport
import Testing

@testable import LogicalBackup

/// Restores of rows alone, into tables that are there.
@Suite struct DataOnlyRestoreTests {
  private func restore(
    _ file: RestoreFile, to url: String, _ change: (inout RestoreOptions) -> Void = { _ in }
  ) throws -> RestoreReport {
    var options = RestoreOptions()
    options.omitsSchema = true
    options.verifies = true
    change(&options)
    return try LogicalRestorer(ConnectionTarget(url), options, cancellation: Cancellation())
      .restore(file.reader)
  }

  private static let more = """
    ;CREATE TABLE public.a_child (id int PRIMARY KEY, parent int REFERENCES public.a_child,
      "order" int REFERENCES public.orders, customer int REFERENCES public.customers);
    INSERT INTO public.a_child SELECT i, CASE WHEN i < 3000 THEN i + 1 END, 1 + i % 1000, 1 + i % 4
      FROM generate_series(1, 3000) i;
    """

  @Test(arguments: [15, 18]) func fillsTablesThatAreThere(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let source = try cluster.createDatabase()
    try source.psql(SampleDatabase.sql + Self.more)
    let (_, bytes) = try ExportFixture.export(source, ExportFixture.options(memberSize: 8 << 10))
    let file = RestoreFile(bytes, "backup")
    let copy = TemporaryDatabase(cluster: cluster, name: TemporaryCluster.uniqueName("rows"))
    _ = try restore(file, to: copy.url) {
      $0.omitsSchema = false
      $0.omitsData = true
    }

    // Something that does not fit: all is as it was.
    try copy.psql("ALTER TABLE log_1 ADD CONSTRAINT strict CHECK (line <> 'line 20')")
    let refused = #expect(throws: LogicalBackupError.self) {
      _ = try restore(file, to: copy.url)
    }
    #expect(refused?.code == .statementFailed)
    #expect(try copy.psql("SELECT count(*) FROM orders") == "0")
    #expect(try copy.psql("SELECT count(*) FROM pg_largeobject_metadata") == "0")
    try copy.psql("ALTER TABLE log_1 DROP CONSTRAINT strict")

    // A trigger that changes rows: reading back notices before the commit.
    try copy.psql(
      """
      CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN new.label := 'changed'; RETURN new; END $$;
      CREATE TRIGGER other BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION other();
      """)
    let changed = #expect(throws: LogicalBackupError.self) { _ = try restore(file, to: copy.url) }
    #expect(changed?.code == .verificationFailed)
    #expect(try copy.psql("SELECT count(*) FROM orders") == "0")
    try copy.psql("DROP TRIGGER other ON orders; DROP FUNCTION other()")

    let report = try restore(file, to: copy.url)
    #expect(report.isVerified)
    #expect(report.rows == 1105 + 3000)
    #expect(report.largeObjects == 1)
    #expect(try ExportFixture.contents(copy) == ExportFixture.contents(source))
    #expect(try copy.psql("SELECT nextval('orders_id_seq')") == "1001")

    // A second time the tables hold rows.
    let again = #expect(throws: LogicalBackupError.self) { _ = try restore(file, to: copy.url) }
    #expect(again?.code == .notEmpty)
    try copy.psql("TRUNCATE log")
    let one = try restore(file, to: copy.url) { $0.tables = ["log_*"] }
    #expect(one.rows == 100)
    #expect(try ExportFixture.contents(copy) == ExportFixture.contents(source))
    try copy.psql("DROP TABLE a_child")
    let missing = #expect(throws: LogicalBackupError.self) {
      _ = try restore(file, to: copy.url) { $0.tables = ["a_child"] }
    }
    #expect(missing?.code == .targetMissing)
    for mode in [RestoreMode.replace, .intoEmpty] {
      let wrong = #expect(throws: LogicalBackupError.self) {
        _ = try restore(file, to: copy.url) { $0.mode = mode }
      }
      #expect(wrong?.code == .invalidRequest)
    }
    try copy.drop()
    try source.drop()
  }

  @Test func parentsComeFirstAndCirclesDoNotHang() {
    func table(_ name: String) -> TableRecord {
      TableRecord(number: 1, schema: "s", name: SQLText(name), columns: [], sum: TableSum())
    }
    func relation(_ name: String) -> RelationName { RelationName(schema: "s", name: SQLText(name)) }
    let ordered = DataOnlyRestore.ordered(
      ["a", "b", "c", "d"].map(table),
      after: [
        relation("a"): [relation("c"), relation("elsewhere")], relation("c"): [relation("d")],
        relation("d"): [relation("b")], relation("b"): [relation("c")],
      ])
    #expect(ordered.map(\.name.string) == ["b", "d", "c", "a"])
  }
}
