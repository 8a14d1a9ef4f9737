import ByteStream
import Postgres
import TestSupport
import Testing

@Suite struct CopyTests {
  let connection: Connection

  init() throws {
    connection = try Connection(
      ConnectionTarget(TemporaryCluster.shared(15).url()),
      ConnectionOptions(applicationName: "pgkeep test"), cancellation: Cancellation())
    try connection.run("CREATE TEMP TABLE t (a int, b text)")
  }

  @Test func rowsGoInAndComeBack() throws {
    let copy = try connection.copyIn("COPY pg_temp.t FROM STDIN")
    var sent: [UInt8] = []
    for number in 0..<5000 {
      let row = Array("\(number)\t\\\\N \\tx\n".utf8)
      sent += row
      try row.withUnsafeBytes { try copy.write($0) }
    }
    #expect(try copy.finish() == 5000)
    let out = try connection.copyOut("COPY pg_temp.t TO STDOUT")
    let block = Block(capacity: 4096)
    var received: [UInt8] = []
    var rows = 0
    while case let count = try out.readRows(into: block, limit: 4000), count > 0 {
      #expect(block.bytes.last == UInt8(ascii: "\n"))
      rows += count
      received += block.bytes
      block.reset()
    }
    #expect(rows == 5000)
    #expect(received == sent)
    #expect(try connection.query("SELECT 1").int(0, 0) == 1)
  }

  @Test func rowLargerThanTheBlockMakesItGrow() throws {
    try connection.run("INSERT INTO pg_temp.t VALUES (1, repeat('x', 3000000))")
    let out = try connection.copyOut("COPY pg_temp.t TO STDOUT")
    let block = Block(capacity: 65_536)
    #expect(try out.readRows(into: block, limit: 65_536) == 1)
    #expect(block.count == 3_000_003)
    block.reset()
    #expect(try out.readRows(into: block, limit: 65_536) == 0)
  }

  @Test func abortLeavesNothing() throws {
    let copy = try connection.copyIn("COPY pg_temp.t FROM STDIN")
    try Array("1\tone\n".utf8).withUnsafeBytes { try copy.write($0) }
    copy.abort("changed our mind")
    #expect(try connection.query("SELECT count(*) FROM pg_temp.t").int(0, 0) == 0)
  }

  @Test func badRowIsNamedByTheServer() throws {
    let copy = try connection.copyIn("COPY pg_temp.t FROM STDIN")
    let error = #expect(throws: PostgresError.self) {
      try Array("x\tone\n".utf8).withUnsafeBytes { try copy.write($0) }
      _ = try copy.finish()
    }
    #expect(error?.sqlState == "22P02")
    #expect(error?.server?.context?.contains("line 1") == true)
    #expect(try connection.query("SELECT 1").int(0, 0) == 1)
  }

  @Test func errorInTheMiddleOfCopyOutIsThrown() throws {
    let out = try connection.copyOut(
      "COPY (SELECT 1 / (1000 - g) FROM pg_catalog.generate_series(1, 2000) g) TO STDOUT")
    let block = Block(capacity: 65_536)
    let error = #expect(throws: PostgresError.self) {
      while try out.readRows(into: block, limit: 60_000) > 0 { block.reset() }
    }
    #expect(error?.sqlState == "22012")
  }

  @Test func wrongStatementIsAnErrorAndLeavesTheSession() throws {
    #expect(throws: PostgresError.self) { _ = try connection.copyOut("COPY nix TO STDOUT") }
    #expect(throws: PostgresError.self) { _ = try connection.copyOut("SELECT 1") }
    #expect(try connection.query("SELECT 1").int(0, 0) == 1)
  }
}
