import Foundation
import TestSupport
import Testing

/// The commands of docs/operations.md do what the page says.
@Suite struct OperationsPageTests {
  @Test func everyCommandBlockRuns() throws {
    let bench = try Bench(rows: 50)
    let page = try String(
      contentsOfFile: ProjectRoot.path + "/docs/operations.md", encoding: .utf8)
    let blocks = page.components(separatedBy: "```sh\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
    #expect(blocks.count >= 5)
    var variables = bench.variables
    variables["PATH"] =
      "\(BuiltExecutable.directory):\(bench.cluster.binaries):/usr/local/bin:/usr/bin:/bin"
    for block in blocks {
      if block.contains("gunzip") {
        // That one wants an empty database.
        variables["FILE"] = try bench.newestFile()
        variables["RESTORE_URL"] = try bench.cluster.createDatabase(named: "by_hand").url
      }
      let result = try Command.run("/bin/sh", ["-e", "-c", block], environment: variables)
      #expect(result.exitCode == 0, "\(block)\(result.errorText)")
    }
  }
}
