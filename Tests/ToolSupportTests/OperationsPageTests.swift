import Foundation
import Logging
import ObjectStore
import TestSupport
import Testing

@testable import ToolSupport

/// docs/operations.md says what the code does.
@Suite struct OperationsPageTests {
  private let page: String

  init() throws {
    page = try String(contentsOfFile: ProjectRoot.path + "/docs/operations.md", encoding: .utf8)
  }

  @Test func listsEveryExitCode() {
    for status in ToolSupport.ExitStatus.allCases {
      #expect(page.contains("| \(status.rawValue) | \(status.meaning) |\n"))
    }
  }

  @Test func namesEveryVariable() throws {
    let sources = ProjectRoot.path + "/Sources/ToolSupport"
    let files = try #require(FileManager.default.enumerator(atPath: sources))
    var names: Set<String> = []
    for case let file as String in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: sources + "/" + file, encoding: .utf8)
      for match in text.matches(of: /"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/) {
        names.insert(String(match.1))
      }
    }
    #expect(names.count > 10)
    for name in names.sorted() { #expect(page.contains("`\(name)`"), "\(name)") }
  }

  @Test func listsEveryLogField() {
    let line = ConsoleLogHandler.line(
      .info, "x", [:], at: .now(), format: .json,
      origin: .init(service: "backup", environment: "default", requestID: "1"))
    for match in line.matches(of: /"([a-z_]+)":/) {
      #expect(page.contains("| `\(match.1)` |"), "\(match.1)")
    }
  }
}
