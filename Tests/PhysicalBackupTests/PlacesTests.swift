import ByteStream
import Foundation
import Glibc
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// Tablespaces that go elsewhere, and configuration that lay outside of the data directory.
@Suite struct PlacesTests {
  private let directory: TestDirectory
  private let cluster: TemporaryCluster
  private let store: DirectoryStore

  init() throws {
    directory = try TestDirectory()
    store = try DirectoryStore(path: directory.file("store"))
    cluster = try TemporaryCluster(15)
  }

  private func backup(user: String = "postgres") throws {
    _ = try BaseBackup(
      ConnectionTarget(cluster.url(user: user)), to: store, environment: "test"
    ).run(cancellation: Cancellation())
  }

  @Test func twoTablespacesGoToOtherPlaces() throws {
    for name in ["one", "two"] {
      try Command.check("mkdir", [directory.file(name)])
      try PhysicalTesting.giveToPostgres(directory.file(name))
      try cluster.psql("CREATE TABLESPACE \(name) LOCATION '\(directory.file(name))'")
      try cluster.psql("CREATE TABLE in_\(name) TABLESPACE \(name) AS SELECT '\(name)' AS name")
    }
    try backup()
    func mapping(_ two: String?) -> [String: String] {
      var mapping = [directory.file("one"): directory.file("new/one/")]
      if let two { mapping[directory.file("two")] = two }
      return mapping
    }
    func refusal(_ mapping: [String: String]) -> String {
      let error = #expect(throws: PhysicalBackupError.self) {
        try RestoredCluster(store, .latest, major: 15, tablespaces: mapping)
      }
      // Nothing was begun.
      #expect(!FileManager.default.fileExists(atPath: directory.file("new")))
      return error?.message ?? ""
    }
    // One that is missing is where the source has it, and that is named.
    #expect(refusal(mapping(nil)).contains("\(directory.file("two")) is not empty"))
    #expect(refusal(mapping(nil)).contains("--tablespace-mapping"))
    try directory.write("dear", to: "taken/letter")
    #expect(refusal(mapping(directory.file("taken"))).contains("it has letter"))
    #expect(refusal(mapping("not/absolute")).contains("is not an absolute path"))
    #expect(refusal(mapping(directory.file("new/one"))).contains("cannot both be restored to"))
    #expect(
      refusal(mapping(directory.file("new/one/inner"))).contains("cannot both be restored to"))
    let unknown = refusal([directory.file("three"): directory.file("new/three")])
    #expect(unknown.contains("no tablespace at \(directory.file("three"))"))
    #expect(unknown.contains(directory.file("one")) && unknown.contains(directory.file("two")))
    #expect(try directory.read("taken/letter") == Array("dear".utf8))

    let restored = try RestoredCluster(
      store, .latest, major: 15, tablespaces: mapping(directory.file("new/two")))
    #expect(
      try restored.psql("SELECT name FROM in_one UNION ALL SELECT name FROM in_two") == "one\ntwo")
    #expect(
      try restored.psql(
        """
        SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname IN ('one', 'two')
        ORDER BY spcname
        """) == "\(directory.file("new/one"))\n\(directory.file("new/two"))")
    _ = try restored.psql("UPDATE in_one SET name = 'changed'")
    // The source goes on with its own.
    #expect(try cluster.psql("SELECT name FROM in_one") == "one")
  }

  /// Lets the cluster's server go on with its configuration elsewhere, as Debian has it.
  private func moveConfiguration() throws -> RunningCommand {
    try cluster.stop()
    let data = cluster.dataDirectory
    let folder = directory.file("etc")
    try Command.check("mkdir", [folder])
    for name in ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"] {
      try Command.check("mv", ["\(data)/\(name)", "\(folder)/\(name)"])
    }
    let lines = [
      "data_directory = '\(data)'", "hba_file = '\(folder)/pg_hba.conf'",
      "ident_file = '\(folder)/pg_ident.conf'", "max_connections = 37",
      "max_prepared_transactions = 11", "max_locks_per_transaction = 77",
      "max_worker_processes = 9", "max_wal_senders = 6", "work_mem = '7MB'",
      "search_path = '\"$user\", public, \"it''s\"'",
    ]
    let rules = [
      #"host "odd name",+postgres "Some One","it's" 10.1.2.0/24 scram-sha-256"#,
      #"hostssl all all 192.168.0.0 255.255.0.0 cert clientcert=verify-full map=m"#,
      #"local replication postgres trust"#,
    ]
    for (name, lines) in [("postgresql.conf", lines), ("pg_hba.conf", rules)] {
      let old = String(decoding: try directory.read("etc/" + name), as: UTF8.self)
      try directory.write(old + lines.joined(separator: "\n") + "\n", to: "etc/" + name)
    }
    try PhysicalTesting.giveToPostgres(folder)
    let server = try Command.start(
      cluster.binaries + "/postgres", ["-D", folder], directory: directory.path, asPostgres: true)
    let limit = ContinuousClock.now + .seconds(60)
    while (try? cluster.psql("SELECT 1")) != "1" {
      guard ContinuousClock.now < limit, server.isRunning else {
        throw TestSupportError("the server did not start: \(server.errorTextSoFar)")
      }
      usleep(50_000)
    }
    return server
  }

  @Test func configurationFromOutsideComesBack() throws {
    try cluster.psql("CREATE ROLE limited LOGIN REPLICATION")
    let server = try moveConfiguration()
    defer {
      server.signal(SIGQUIT)
      _ = try? server.wait(timeout: .seconds(60))
    }
    let rules = """
      SELECT type, database, user_name, address, netmask, auth_method, options, error
      FROM pg_hba_file_rules ORDER BY line_number
      """
    let access = try cluster.psql(rules)
    try backup()
    let restored = try RestoredCluster(store, .latest, major: 15)
    for name in ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"] {
      #expect(restored.report.remarks.contains { $0.contains(name) }, "\(name)")
    }
    // The server would not have recovered with less than the source had.
    #expect(restored.outcome.state == "in production")
    for (name, value) in [
      ("max_connections", "37"), ("max_prepared_transactions", "11"),
      ("max_locks_per_transaction", "77"), ("max_worker_processes", "9"),
      ("max_wal_senders", "6"), ("work_mem", "7MB"),
      ("search_path", #""$user", public, "it's""#),
      ("data_directory", restored.server.dataDirectory),
      ("hba_file", restored.server.dataDirectory + "/pg_hba.conf"),
    ] { #expect(try restored.psql("SHOW \(name)") == value, "\(name)") }
    #expect(try restored.psql(rules) == access)
    let wrong = try restored.psql(
      """
      SELECT name, setting, error FROM pg_file_settings
      WHERE error IS NOT NULL AND name NOT IN ('port', 'shared_buffers')
      """)
    // Those two the test sets on the command line.
    #expect(wrong == "")
  }

  @Test func aRoleThatSeesLittleStillCapturesWhatRecoveryNeeds() throws {
    try cluster.psql("CREATE ROLE limited LOGIN REPLICATION")
    let server = try moveConfiguration()
    defer {
      server.signal(SIGQUIT)
      _ = try? server.wait(timeout: .seconds(60))
    }
    try backup(user: "limited")
    let catalog = try PhysicalCatalog(store, environment: "test")
    let place = directory.file("restored")
    let options = ClusterRestore.Options(dataDirectory: place, restoreCommand: "false")
    _ = try ClusterRestore(catalog, options: options).run(
      RecoveryPlanner(catalog).plan(.latest), cancellation: Cancellation())
    let lines = try String(contentsOfFile: place + "/postgresql.conf", encoding: .utf8)
      .split(separator: "\n")
    for line in [
      "max_connections = '37'", "max_prepared_transactions = '11'",
      "max_locks_per_transaction = '77'", "max_worker_processes = '9'", "max_wal_senders = '6'",
    ] { #expect(lines.contains { $0 == line }, "\(line)") }
    // Who could get in is not known: nobody but the system's user of the same name does.
    #expect(
      try String(contentsOfFile: place + "/pg_hba.conf", encoding: .utf8)
        .contains("\nlocal all all peer\n"))
  }
}
