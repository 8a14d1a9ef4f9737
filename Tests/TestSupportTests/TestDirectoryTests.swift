import Foundation
import TestSupport
import Testing

@Suite struct TestDirectoryTests {
  @Test func isGoneWithItsLastReference() throws {
    var directory: TestDirectory? = try TestDirectory()
    let path = try #require(directory?.path)
    try directory?.write("text", to: "a/b/file")
    #expect(try directory?.read("a/b/file") == Array("text".utf8))
    #expect(try directory?.names(in: "a") == ["b"])
    directory = nil
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func removesWhatAKilledProcessLeft() throws {
    // A process id that was in use a moment ago and is not any more.
    let command = try Command.start("true")
    _ = try command.wait()
    let name = "pgkeep-test-\(command.pid)-abcdef"
    let code = "import os; os.makedirs('/tmp/\(name)/data', exist_ok=True)"
    try Command.check("python3", ["-c", code])
    TestDirectory.removeLeftovers()
    #expect(!FileManager.default.fileExists(atPath: "/tmp/" + name))
  }
}
