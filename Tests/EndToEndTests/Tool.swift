import Foundation
import TestSupport
import Testing

/// Runs one of the three executables as cron or a person would.
struct Tool: Sendable {
  /// What a run left.
  struct Outcome: Sendable {
    var result: CommandResult

    /// The exit code; -1 when a signal ended it.
    var code: Int32 { result.exitCode ?? -1 }
    var text: String { result.text }
    var errorText: String { result.errorText }

    /// Standard output as the one JSON value that it must be.
    func json() throws -> [String: Any] {
      let value = try JSONSerialization.jsonObject(with: Data(result.output))
      return try #require(value as? [String: Any])
    }

    /// The JSON records on standard error.
    func records() throws -> [[String: Any]] {
      try errorText.split(separator: "\n").map { line in
        let value = try? JSONSerialization.jsonObject(with: Data(line.utf8))
        return try #require(value as? [String: Any], "no JSON record: \(line)")
      }
    }

    /// The messages of the records of level error: a failed run has exactly one.
    func errors() throws -> [String] {
      try records().filter { $0["level"] as? String == "error" }
        .compactMap { $0["message"] as? String }
    }
  }

  var path: String
  var environment: [String: String] = [:]

  static let backup = Tool(path: BuiltExecutable.backup)
  static let restore = Tool(path: BuiltExecutable.restore)
  static let migrate = Tool(path: BuiltExecutable.migrate)

  /// The same with more variables.
  func with(_ more: [String: String]) -> Tool {
    Tool(path: path, environment: environment.merging(more) { $1 })
  }

  func callAsFunction(
    _ arguments: String..., directory: String? = nil, timeout: Duration = .seconds(120)
  ) throws -> Outcome {
    let result = try Command.run(
      path, arguments, environment: environment, directory: directory, timeout: timeout)
    return Outcome(result: result)
  }

  /// Starts it and goes on.
  func start(_ arguments: String...) throws -> RunningCommand {
    try Command.start(path, arguments, environment: environment)
  }
}
