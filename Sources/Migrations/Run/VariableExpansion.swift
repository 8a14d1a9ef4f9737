import Postgres

/// Puts environment variables in the place of `${NAME}`, for names that the file itself asks for
/// with the `env` directive. Text in the history and its checksum keep the names.
struct VariableExpansion {
  private let values: [(mark: [UInt8], name: String, value: String?)]
  private let source: String

  init(_ script: MigrationScript, _ variable: (String) -> String?) {
    source = script.source
    values = script.directives.flatMap { directive -> [String] in
      if case .environment(let names) = directive { names } else { [] }
    }.map { (Array("${\($0)}".utf8), $0, variable($0)) }
  }

  /// - Throws: ``MigrationsError/Code/invalidFiles`` when a variable is not set.
  func check() throws(MigrationsError) {
    let missing = values.filter { $0.value == nil }.map(\.name)
    guard missing.isEmpty else {
      throw MigrationsError(
        .invalidFiles, "Variables that a migration asks for are not set:",
        problems: missing.map {
          MigrationProblem(file: source, message: "the environment variable \($0) is not set")
        })
    }
  }

  func expand(_ text: SQLText) throws(MigrationsError) -> SQLText {
    guard !values.isEmpty else { return text }
    try check()
    var result: [UInt8] = []
    var rest = text.bytes[...]
    while let byte = rest.first {
      if byte == UInt8(ascii: "$"), let found = values.first(where: { rest.starts(with: $0.mark) })
      {
        result.append(contentsOf: (found.value ?? "").utf8)
        rest = rest.dropFirst(found.mark.count)
      } else {
        result.append(byte)
        rest = rest.dropFirst()
      }
    }
    return SQLText(bytes: result)
  }
}
