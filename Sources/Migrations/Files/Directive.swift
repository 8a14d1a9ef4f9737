/// What a migration file says about itself, in comments at its top: `-- pgkeep: no-transaction`.
public enum Directive: Hashable, Sendable {
  /// `no-transaction`: statement by statement, each on its own, for what PostgreSQL refuses in a
  /// transaction (`CREATE INDEX CONCURRENTLY`).
  case noTransaction
  /// `irreversible REASON`: this up cannot be undone.
  case irreversible(reason: String)
  /// `lock-timeout 5s`: how long one statement may wait for a lock, in milliseconds.
  case lockTimeout(milliseconds: Int)
  /// `statement-timeout 10min`: how long one statement may take, in milliseconds.
  case statementTimeout(milliseconds: Int)
  /// `env NAME …`: `${NAME}` in this file stands for the environment variable.
  case environment(names: [String])
  /// `allow FINDING REASON`: silences a finding of the rehearsal for this file.
  case allow(finding: String, reason: String)
  /// `after NAME …`: this repeatable file runs after those.
  case after(names: [String])

  /// All names, as they are written.
  static let names = [
    "no-transaction", "irreversible", "lock-timeout", "statement-timeout", "env", "allow", "after",
  ]

  /// Reads what stands behind `-- pgkeep:`; throws a message for people.
  init(_ text: Substring) throws(Malformed) {
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard let name = words.first else {
      throw Malformed(
        "there is no directive after pgkeep: (known: \(Self.names.joined(separator: ", ")))")
    }
    let arguments = Array(words.dropFirst())
    switch name {
    case "no-transaction":
      guard arguments.isEmpty else { throw Malformed("no-transaction takes nothing after it") }
      self = .noTransaction
    case "irreversible":
      guard !arguments.isEmpty else {
        throw Malformed("irreversible wants its reason: -- pgkeep: irreversible REASON")
      }
      self = .irreversible(reason: arguments.joined(separator: " "))
    case "lock-timeout": self = .lockTimeout(milliseconds: try Self.time(name, arguments))
    case "statement-timeout":
      self = .statementTimeout(milliseconds: try Self.time(name, arguments))
    case "env":
      guard !arguments.isEmpty, arguments.allSatisfy(Self.isVariableName) else {
        throw Malformed("env wants names of environment variables: -- pgkeep: env NAME NAME")
      }
      self = .environment(names: arguments)
    case "allow":
      guard arguments.count >= 2 else {
        throw Malformed("allow wants a finding and the reason: -- pgkeep: allow FINDING REASON")
      }
      self = .allow(
        finding: arguments[0], reason: arguments.dropFirst().joined(separator: " "))
    case "after":
      guard !arguments.isEmpty else {
        throw Malformed("after wants names of repeatable files: -- pgkeep: after NAME NAME")
      }
      self = .after(names: arguments)
    default:
      throw Malformed(
        "unknown directive \"\(name)\" (known: \(Self.names.joined(separator: ", ")))")
    }
  }

  /// A directive that cannot be read.
  struct Malformed: Error {
    let message: String
    init(_ message: String) { self.message = message }
  }

  private static func time(_ name: String, _ arguments: [String]) throws(Malformed) -> Int {
    guard let milliseconds = TimeText.milliseconds(arguments.joined()) else {
      throw Malformed("\(name) wants a time above zero such as 500ms, 5s or 10min")
    }
    return milliseconds
  }

  private static func isVariableName(_ name: String) -> Bool {
    guard let first = name.utf8.first, first == 0x5F || isLetter(first) else { return false }
    return name.utf8.allSatisfy { $0 == 0x5F || isLetter($0) || (0x30...0x39).contains($0) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
