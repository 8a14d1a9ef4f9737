import Glibc
import TestSupport
import Testing

@Suite struct FaultProxyTests {
  private let cluster: TemporaryCluster
  private let proxy: FaultProxy

  init() throws {
    cluster = try TemporaryCluster.shared(15)
    proxy = try FaultProxy(to: cluster.port)
  }

  private func query(_ sql: String) throws -> CommandResult {
    let url = "postgresql://postgres@127.0.0.1:\(proxy.port)/postgres?sslmode=disable"
    return try Command.run(cluster.binaries + "/psql", ["-XAtc", sql, "-d", url])
  }

  @Test func passesBytesBothWays() throws {
    let result = try query("SELECT repeat('x', 3000000)")
    #expect(result.output.count == 3_000_001)
    #expect(proxy.connections == 1)
    #expect(proxy.cuts == 0)
  }

  @Test func refusesOneConnectionAndThenNone() throws {
    proxy.set(.refuse, connections: 1)
    #expect(try query("SELECT 1").exitCode == 2)
    #expect(try query("SELECT 1").text == "1\n")
    #expect(proxy.cuts == 1)
  }

  @Test func cutsInTheMiddleOfAnAnswer() throws {
    proxy.set(.cutAfterBytesToClient(100_000))
    let result = try query("SELECT repeat('x', 3000000)")
    #expect(result.exitCode == 2)
    #expect(result.errorText.contains("connection"))
    #expect(proxy.cuts == 1)
  }

  @Test func cutsInTheMiddleOfARequest() throws {
    proxy.set(.cutAfterBytesToServer(2000))
    #expect(try query("SELECT length('\(String(repeating: "x", count: 50_000))')").exitCode == 2)
  }

  @Test func cutsWhatIsOpen() throws {
    let url = "postgresql://postgres@127.0.0.1:\(proxy.port)/postgres?sslmode=disable"
    let session = try Command.start(
      cluster.binaries + "/psql", ["-XAtc", "SELECT pg_sleep(60)", "-d", url])
    let busy = """
      SELECT count(*) FROM pg_stat_activity
      WHERE query = 'SELECT pg_sleep(60)' AND application_name = 'psql'
      """
    while try cluster.psql(busy) != "1" { usleep(10_000) }
    proxy.cut()
    #expect(try session.wait(timeout: .seconds(120)).exitCode == 2)
  }

  @Test func fallsSilent() throws {
    proxy.set(.stallAfterBytesToClient(100_000))
    #expect(throws: TestSupportError.self) {
      let url = "postgresql://postgres@127.0.0.1:\(proxy.port)/postgres?sslmode=disable"
      _ = try Command.run(
        cluster.binaries + "/psql", ["-XAtc", "SELECT repeat('x', 3000000)", "-d", url],
        timeout: .seconds(1))
    }
  }
}
