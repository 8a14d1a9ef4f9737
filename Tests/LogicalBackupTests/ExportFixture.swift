import ByteStream
import Postgres
import TestSupport

@testable import LogicalBackup

/// Exports of test databases, and what other programs make of them.
enum ExportFixture {
  static func options(jobs: Int = 2, memberSize: Int = 4 << 20) -> ExportOptions {
    var options = ExportOptions(id: "20261122T020000Z-0123abcd", tool: "test")
    options.jobs = jobs
    options.memberSize = memberSize
    return options
  }

  static func export(
    _ database: TemporaryDatabase, _ options: ExportOptions = options(), url: String? = nil,
    hooks: SnapshotHooks = SnapshotHooks(), to sink: MemorySink = MemorySink(),
    cancellation: Cancellation = Cancellation(),
    progress: @escaping @Sendable (ExportProgress) -> Void = { _ in }
  ) throws -> (result: ExportResult, bytes: [UInt8]) {
    let target = try ConnectionTarget(url ?? database.url)
    let exporter = LogicalExporter(
      target, options, cancellation: cancellation, hooks: hooks, progress)
    let result = try exporter.export { _ in sink }
    return (result, sink.bytes)
  }

  /// Restores a file as somebody without pgkeep would.
  static func restore(_ bytes: [UInt8], into database: TemporaryDatabase) throws {
    let sql = try Command.check("gunzip", ["-c"], input: bytes).output
    _ = try database.cluster.check(
      "psql", ["-qXo", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", database.name], input: sql)
  }

  /// The text of every table's rows, in order, by table.
  static func contents(_ database: TemporaryDatabase) throws -> String {
    let tables = try database.psql(
      """
      SELECT format('COPY (SELECT %L, x.* FROM ONLY %I.%I x ORDER BY x::text COLLATE "C") TO STDOUT;',
        n.nspname || '.' || c.relname, n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
      ORDER BY nspname COLLATE "C", relname COLLATE "C"
      """)
    return try database.psql("SET extra_float_digits = 3; SET timezone = 'UTC';\n" + tables)
  }
}
