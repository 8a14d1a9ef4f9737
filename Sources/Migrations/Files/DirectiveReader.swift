/// Finds the directives at the top of a migration file.
///
/// The top is what comes before the first line that is neither blank nor a `--` comment. A
/// directive further down would be overlooked by its reader, so it is an error.
struct DirectiveReader {
  private(set) var directives: [Directive] = []
  private(set) var problems: [(line: Int, message: String)] = []

  /// - Parameter text: the file with `\n` line ends.
  init(_ text: [UInt8]) {
    guard Self.mayHoldDirective(text) else { return }
    var isTop = true
    var line = 0
    var start = 0
    while start < text.count {
      line += 1
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      read(text[start..<end], line, &isTop)
      start = end + 1
    }
  }

  /// Whether there is "pgkeep" anywhere, in whatever case: a quick look, since most files have none.
  private static func mayHoldDirective(_ text: [UInt8]) -> Bool {
    text.withUnsafeBytes { bytes in
      guard bytes.count > 8 else { return false }
      for index in 0..<bytes.count - 5 where bytes[index + 2] | 0x20 == UInt8(ascii: "k") {
        if bytes[index] | 0x20 == UInt8(ascii: "p"), bytes[index + 1] | 0x20 == UInt8(ascii: "g"),
          bytes[index + 3] | 0x20 == UInt8(ascii: "e"),
          bytes[index + 4] | 0x20 == UInt8(ascii: "e"),
          bytes[index + 5] | 0x20 == UInt8(ascii: "p")
        {
          return true
        }
      }
      return false
    }
  }

  private mutating func read(_ line: ArraySlice<UInt8>, _ number: Int, _ isTop: inout Bool) {
    let trimmed = line.drop(while: Self.isBlank)
    guard trimmed.starts(with: [0x2D, 0x2D]) else {
      if !trimmed.isEmpty { isTop = false }
      return
    }
    let comment = trimmed.dropFirst(2).drop { $0 == 0x2D || Self.isBlank($0) }
    guard comment.count >= 6 else { return }
    let word = comment.prefix(6).map { $0 | 0x20 }
    guard word.elementsEqual("pgkeep".utf8) else { return }
    let rest = comment.dropFirst(6)
    guard comment.starts(with: "pgkeep:".utf8) else {
      // Something like "-- PGKEEP: …" or "-- pgkeep no-transaction" is a directive gone wrong;
      // "-- pgkeep's history …" in the middle of a file is prose.
      if isTop, rest.first.map({ $0 == 0x3A || Self.isBlank($0) }) ?? true {
        problems.append((number, "a directive is written -- pgkeep: NAME"))
      }
      return
    }
    guard isTop else {
      problems.append(
        (number, "a directive must stand above the first statement, among comments only"))
      return
    }
    do throws(Directive.Malformed) {
      let directive = try Directive(String(decoding: rest.dropFirst(), as: UTF8.self)[...])
      if directives.contains(directive) {
        problems.append((number, "the directive is there twice"))
      } else {
        directives.append(directive)
      }
    } catch { problems.append((number, error.message)) }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0C || byte == 0x0B
  }
}
