import Foundation
import TestSupport
import Testing

@Suite struct BuiltExecutableTests {
  @Test(arguments: [BuiltExecutable.migrate, BuiltExecutable.backup, BuiltExecutable.restore])
  func isThere(path: String) {
    #expect(FileManager.default.isExecutableFile(atPath: path))
  }
}
