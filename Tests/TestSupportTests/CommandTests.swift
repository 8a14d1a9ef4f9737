import Glibc
import TestSupport
import Testing

@Suite struct CommandTests {
  @Test func givesOutputErrorsAndExitCode() throws {
    let result = try Command.run("sh", ["-c", "echo out; echo err >&2; exit 7"])
    #expect(result.text == "out\n")
    #expect(result.errorText == "err\n")
    #expect(result.ending == .exited(7))
    #expect(throws: TestSupportError.self) { try Command.check("false") }
  }

  @Test func movesMoreThanAPipeHoldsInBothDirections() throws {
    let bytes = [UInt8](repeating: 97, count: 5_000_000)
    let result = try Command.run("tee", ["/dev/stderr"], input: bytes)
    #expect(result.output == bytes)
    #expect(result.errorOutput == bytes)
  }

  @Test func outlivesAChildThatReadsNoInput() throws {
    let bytes = [UInt8](repeating: 97, count: 1_000_000)
    #expect(try Command.run("true", input: bytes).exitCode == 0)
  }

  @Test func killsWhatTakesTooLong() throws {
    let start = ContinuousClock.now
    #expect(throws: TestSupportError.self) {
      try Command.run("sh", ["-c", "sleep 60; true"], timeout: .milliseconds(200))
    }
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test func reportsTheSignalThatKilledIt() throws {
    let command = try Command.start("sh", ["-c", "echo ready; exec sleep 60"])
    while command.textSoFar.isEmpty { usleep(1000) }
    #expect(command.isRunning)
    command.signal(SIGTERM)
    #expect(try command.wait().ending == .signaled(SIGTERM))
    #expect(!command.isRunning)
  }

  @Test func doesNotWaitForAGrandchildThatKeepsThePipes() throws {
    let result = try Command.run("sh", ["-c", "sleep 60 & echo done"], timeout: .seconds(50))
    #expect(result.text == "done\n")
  }

  @Test func takesEnvironmentAndDirectory() throws {
    let directory = try TestDirectory()
    let result = try Command.run(
      "sh", ["-c", "pwd; echo $DATABASE_URL $PGHOST"], environment: ["DATABASE_URL": "x"],
      directory: directory.path)
    #expect(result.text == directory.path + "\nx\n")
  }

  @Test func startsChildrenThatDoNotOutliveTheTests() throws {
    let pid = try Command.start("sleep", ["60"]).pid
    let status = try Command.check("cat", ["/proc/\(pid)/status"]).text
    // Its parent is this process, whose death the kernel will tell it of.
    #expect(status.contains("PPid:\t\(getpid())\n"))
    kill(pid, SIGKILL)
  }

  @Test func measuresMemory() throws {
    let code = "import time; x = bytearray(100_000_000); del x; time.sleep(1)"
    let large = try Command.check("/usr/bin/python3", ["-c", code])
    #expect((100_000_000..<200_000_000).contains(large.peakResidentBytes))
    let small = try Command.check("sleep", ["1"])
    #expect((1..<10_000_000).contains(small.peakResidentBytes))
  }
}
