import ByteStream
import Glibc
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import LogicalBackup

/// Exports from a hot standby.
@Suite struct StandbyExportTests {
  /// A primary with a standby whose replay waits for nobody.
  private final class Pair: Sendable {
    let primary: TemporaryCluster
    let directory: TestDirectory
    let port: Int

    init(_ major: Int) throws {
      primary = try TemporaryCluster(major)
      directory = try TestDirectory()
      port = try LoopbackPort.free()
      try primary.psql(
        """
        CREATE TABLE kept AS SELECT i AS id FROM generate_series(1, 500) i;
        CREATE TABLE busy AS SELECT i AS id FROM generate_series(1, 500) i;
        CREATE UNLOGGED TABLE fleeting (id bigserial);
        INSERT INTO fleeting SELECT FROM generate_series(1, 10);
        CREATE UNLOGGED SEQUENCE numbers;
        """)
      if geteuid() == 0 { try Command.check("/bin/chown", ["postgres", directory.path]) }
      try Command.check(
        primary.binaries + "/pg_basebackup",
        ["-D", data, "-R", "-X", "stream", "-c", "fast", "-d", primary.socketURL()],
        asPostgres: true)
      let settings = [
        "port=\(port)", "unix_socket_directories=\(directory.path)", "fsync=off",
        "max_standby_streaming_delay=0", "max_standby_archive_delay=0",
      ]
      try Command.check(
        primary.binaries + "/pg_ctl",
        [
          "-D", data, "-w", "-l", directory.file("log"), "-o",
          settings.map { "-c \($0)" }.joined(separator: " "), "start",
        ], asPostgres: true)
    }

    deinit {
      _ = try? Command.run(
        primary.binaries + "/pg_ctl", ["-D", data, "-w", "-m", "immediate", "stop"],
        asPostgres: true)
    }

    private var data: String { directory.file("standby") }
    var url: String { "postgresql://postgres@127.0.0.1:\(port)/postgres" }

    /// Removes rows that a snapshot of the standby still sees, and waits until it has done so too.
    func conflict() throws {
      try primary.psql("UPDATE busy SET id = id")
      try primary.psql("VACUUM busy")
      try caughtUp()
    }

    func caughtUp() throws {
      // What VACUUM has written is not on disk yet.
      try primary.psql("CHECKPOINT")
      let end = try primary.psql("SELECT pg_current_wal_flush_lsn()")
      for _ in 0..<200 {
        let answer = try Command.check(
          primary.binaries + "/psql",
          ["-qAtX", "-d", url, "-c", "SELECT pg_last_wal_replay_lsn() >= '\(end)'"])
        if answer.text.hasPrefix("t") { return }
        usleep(50_000)
      }
      Issue.record("the standby did not catch up")
    }
  }

  private func export(
    _ pair: Pair, hooks: SnapshotHooks = SnapshotHooks()
  ) throws -> (result: ExportResult, bytes: [UInt8]) {
    let sink = Mutex(MemorySink())
    let result = try LogicalExporter(
      ConnectionTarget(pair.url), ExportFixture.options(), cancellation: Cancellation(),
      hooks: hooks
    ).export { _ in
      let made = MemorySink()
      sink.withLock { $0 = made }
      return made
    }
    return (result, sink.withLock { $0.bytes })
  }

  @Test(arguments: [15, 18]) func unloggedRowsAreSaidToBeMissing(major: Int) throws {
    let pair = try Pair(major)
    try pair.caughtUp()
    let (result, bytes) = try export(pair)
    #expect(result.facts.isStandby)
    #expect(
      result.facts.selection.contains("without the rows of unlogged table public.fleeting"))
    let copy = try TemporaryCluster.shared(major).createDatabase()
    defer { try? copy.drop() }
    try ExportFixture.restore(bytes, into: copy)
    let counts = try copy.psql(
      "SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM fleeting), "
        + "(SELECT count(*) FROM pg_sequences)")
    #expect(counts == "500|0|2")
  }

  @Test(arguments: [15, 18]) func aConflictWithReplayIsTriedAgain(major: Int) throws {
    let pair = try Pair(major)
    let rounds = Atomic(0)
    let (result, _) = try export(
      pair,
      hooks: SnapshotHooks(afterReading: {
        if rounds.add(1, ordering: .relaxed).oldValue == 0 { try pair.conflict() }
      }))
    #expect(result.totals.rows == 1000)
    #expect(rounds.load(ordering: .relaxed) == 2)
  }

  @Test func aConflictThatComesBackIsNamed() throws {
    let pair = try Pair(15)
    let error = #expect(throws: LogicalBackupError.self) {
      _ = try export(pair, hooks: SnapshotHooks(afterReading: { try pair.conflict() }))
    }
    #expect(error?.code == .server)
    #expect(error?.message.contains("hot_standby_feedback") == true)
  }
}
