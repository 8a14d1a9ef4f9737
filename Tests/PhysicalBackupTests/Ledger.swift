import ByteStream
import Foundation
import ObjectStore
import Postgres
import TestSupport

@testable import PhysicalBackup

/// A writer that commits numbered rows, and knows after each where the server stood.
final class Ledger {
  struct Mark {
    /// The number of the last row that was committed.
    var row: Int
    /// The server's clock and position after that, and before the next row.
    var time: ServerTime
    var position: LSN
  }

  private(set) var marks: [Mark] = []
  private let connection: Connection
  private var row = 0

  init(_ cluster: TemporaryCluster) throws {
    connection = try Connection(
      ConnectionTarget(cluster.url()), ConnectionOptions(applicationName: "ledger"),
      cancellation: Cancellation())
    try connection.run("SET synchronous_commit = on")
    try connection.run(
      "CREATE TABLE IF NOT EXISTS public.ledger (row int PRIMARY KEY, at timestamptz NOT NULL)")
    row = try connection.query("SELECT coalesce(max(row), 0) FROM public.ledger").int(0, 0) ?? 0
  }

  /// Commits rows, with other work in between: tables that come and go, vacuum, segment switches.
  func write(_ count: Int, seed: inout SeededGenerator) throws {
    for _ in 0..<count {
      row += 1
      try connection.run("INSERT INTO public.ledger VALUES (\(row), clock_timestamp())")
      switch Int.random(in: 0..<24, using: &seed) {
      case 0: try connection.run("CREATE TABLE IF NOT EXISTS public.other (id int, text text)")
      case 1: try connection.run("DROP TABLE IF EXISTS public.other")
      case 2: try connection.run("VACUUM public.ledger")
      case 3: try connection.run("SELECT pg_switch_wal()")
      case 4: usleep(UInt32.random(in: 1000...40_000, using: &seed))
      case 5: try connection.run("CHECKPOINT")
      case 6:
        // A transaction that is rolled back must leave nothing.
        try connection.run("BEGIN")
        try connection.run("INSERT INTO public.ledger VALUES (-\(row), clock_timestamp())")
        try connection.run("ROLLBACK")
      default: break
      }
      try mark()
    }
  }

  private func mark() throws {
    let result = try connection.query(
      """
      SELECT pg_current_wal_insert_lsn(),
        (extract(epoch FROM clock_timestamp()) * 1000000)::int8
      """)
    guard let position = LSN(result.string(0, 0)), let time = result.int(0, 1) else {
      throw TestSupportError("no position")
    }
    marks.append(
      Mark(row: row, time: ServerTime(unixMicroseconds: Int64(time)), position: position))
  }

  func restorePoint(_ name: String) throws {
    _ = try connection.query("SELECT pg_create_restore_point($1)", [SQLText(name)])
  }

  func message(_ prefix: String, _ text: String) throws {
    _ = try connection.query(
      "SELECT pg_logical_emit_message(false, $1, $2)", [SQLText(prefix), SQLText(text)])
  }

  var lastRow: Int { row }
  var now: ServerTime {
    get throws {
      let result = try connection.query(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8")
      return ServerTime(unixMicroseconds: Int64(result.int(0, 0) ?? 0))
    }
  }
}

/// A restored cluster, for as long as it is looked at.
final class RestoredCluster {
  let server: RecoveryServer
  let plan: RecoveryPlan
  let report: ClusterRestore.Report
  let outcome: RecoveryServer.Outcome
  let catalog: PhysicalCatalog
  let options: ClusterRestore.Options
  private let directory: TestDirectory
  private let binaries: String

  /// Restores, starts the server, and waits until it has recovered.
  init(
    _ store: any ObjectStore, _ target: RecoveryTarget, major: Int, timeline: UInt32? = nil,
    tablespaces: [String: String] = [:], action: ClusterRestore.TargetAction = .promote
  ) throws {
    directory = try TestDirectory()
    let catalog = try PhysicalCatalog(
      store, environment: "test", points: .target(target, timeline: timeline))
    plan = try RecoveryPlanner(catalog, timeline: timeline).plan(target)
    // What wal-fetch would give, laid out beforehand.
    let wal = directory.file("wal")
    try Command.check("mkdir", [wal])
    if let archive = catalog.archive, let listing = catalog.wal {
      let fetch = WALFetch(archive)
      for timeline in listing.histories {
        let name = TimelineHistory(timeline: timeline).fileName
        _ = try fetch.fetch(name, to: wal + "/" + name, cancellation: Cancellation())
      }
      for timeline in listing.timelines {
        for range in listing.ranges(timeline: timeline) {
          var segment = WALSegment(
            timeline: timeline, holding: range.start, size: archive.segmentSize)
          while segment.start < range.end {
            _ = try fetch.fetch(
              segment.name, to: wal + "/" + segment.name, cancellation: Cancellation())
            segment = segment.next
          }
        }
      }
    }
    try PhysicalTesting.giveToPostgres(directory.path)
    var options = ClusterRestore.Options(
      dataDirectory: directory.file("data"), restoreCommand: "cp \(wal)/%f %p")
    options.owner = geteuid() == 0 ? "postgres" : nil
    options.syncs = false
    options.action = action
    options.tablespaces = tablespaces
    options.jobs = 2
    self.options = options
    self.catalog = catalog
    report = try ClusterRestore(catalog, options: options).run(plan, cancellation: Cancellation())
    binaries = try PostgresInstallation.of(major).binaries
    var server = RecoveryServer(
      binaries: binaries, dataDirectory: directory.file("data"), logFile: directory.file("log"))
    server.owner = options.owner
    server.settings = [
      "port=\(try LoopbackPort.free())", "unix_socket_directories=\(directory.path)",
      "listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB",
      "synchronous_commit=on",
    ]
    server.patience = .seconds(60)
    self.server = server
    outcome = try server.recover(to: action, cancellation: Cancellation())
  }

  deinit { try? server.kill() }

  private var port: String { String(server.settings[0].dropFirst("port=".count)) }

  var target: ConnectionTarget {
    get throws { try ConnectionTarget("postgresql://postgres@127.0.0.1:\(port)/postgres") }
  }

  func psql(_ sql: String) throws -> String {
    let result = try Command.check(
      binaries + "/psql", ["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql],
      environment: [
        "PGHOST": directory.path, "PGPORT": port, "PGUSER": "postgres",
        "PGDATABASE": "postgres",
      ])
    return result.text.split(separator: "\n").joined(separator: "\n")
  }

  /// The rows of the ledger: how many, the lowest and the highest.
  func rows() throws -> String {
    try psql("SELECT count(*), min(row), max(row) FROM ledger")
  }
}
