import Crypto
public import Postgres

/// The SQL of one migration file, or what the history kept of it.
///
/// The text is UTF-8 without a byte order mark and with `\n` line ends, whatever the checkout made
/// of them: what is run, stored and hashed is the same bytes.
public struct MigrationScript: Hashable, Sendable {
  /// The file as it can be opened, or what else tells a person where this text is.
  public let source: String
  public let text: SQLText
  public let directives: [Directive]
  /// SHA-256 over ``text``, in hexadecimal.
  public let checksum: String

  /// - Parameters:
  ///   - source: the file's path.
  ///   - bytes: as they are in the file.
  ///   - problems: gets what is wrong with the text.
  init(source: String, bytes: [UInt8], problems: inout [MigrationProblem]) {
    self.source = source
    let normalized = Self.normalized(bytes)
    // Plain ASCII, as most files are, cannot be wrong.
    if !normalized.allSatisfy({ $0 &- 1 < 0x7F }) {
      if let place = normalized.firstIndex(of: 0) {
        problems.append(
          MigrationProblem(
            file: source, line: TextPosition(in: normalized, at: place).line,
            message: "a zero byte; the file is not SQL text (UTF-16?)"))
      } else if String(validating: normalized, as: UTF8.self) == nil {
        problems.append(
          MigrationProblem(
            file: source, line: Self.firstInvalidLine(normalized),
            message: "the text is not UTF-8; convert the file"))
      }
    }
    let reader = DirectiveReader(normalized)
    problems += reader.problems.map {
      MigrationProblem(file: source, line: $0.line, message: $0.message)
    }
    directives = reader.directives
    text = SQLText(bytes: normalized)
    checksum = Self.checksum(normalized)
  }

  /// A text that was checked when it was stored.
  init(source: String, stored: SQLText) {
    self.source = source
    text = stored
    directives = DirectiveReader(stored.bytes).directives
    checksum = Self.checksum(stored.bytes)
  }

  /// Whether the whole script is one transaction.
  public var isTransactional: Bool { !directives.contains(.noTransaction) }

  /// Why this up cannot be undone; nil when it can.
  public var irreversibleReason: String? {
    for case .irreversible(let reason) in directives { return reason }
    return nil
  }

  private static func checksum(_ text: [UInt8]) -> String {
    // libcrypto offers SHA-256 wherever it is built at all.
    (try? Digest.hash(.sha256, text)).map { Hex.encode($0) } ?? ""
  }

  /// Without byte order mark, and with `\n` for `\r\n`.
  private static func normalized(_ bytes: [UInt8]) -> [UInt8] {
    let hasMark = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    let start = hasMark ? 3 : 0
    guard bytes.contains(0x0D) else { return start == 0 ? bytes : Array(bytes[start...]) }
    var normalized: [UInt8] = []
    normalized.reserveCapacity(bytes.count)
    for index in start..<bytes.count {
      let isBeforeNewline = index + 1 < bytes.count && bytes[index + 1] == 0x0A
      if bytes[index] == 0x0D, isBeforeNewline { continue }
      normalized.append(bytes[index])
    }
    return normalized
  }

  private static func firstInvalidLine(_ text: [UInt8]) -> Int {
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    return 1 + (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0)
  }
}
