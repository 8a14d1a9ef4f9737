import Glibc

/// The rows after a `COPY … FROM STDIN;`, which begin on its next line and end in a line `\.`.
extension SQLLexer {
  private static let endMark: [UInt8] = [0x5C, 0x2E, 0x0D]

  /// Reads on behind a COPY statement, to the end of its rows or of `bytes`.
  ///
  /// - Returns: the index of the first byte that was not read.
  func readRows(
    _ bytes: UnsafeRawBufferPointer, from start: Int, _ handler: (SQLPiece) throws -> Void
  ) throws -> Int {
    var index = start
    while state != .copyData, index < bytes.count {
      try readRestOfLine(bytes[index])
      index += 1
    }
    return index < bytes.count ? try readData(bytes, from: index, handler) : index
  }

  /// What follows on the line of the statement itself.
  private func readRestOfLine(_ byte: UInt8) throws {
    defer { position.advance(over: byte) }
    if byte == UInt8(ascii: "\n") {
      state = .copyData
      isAtLineStart = true
      return
    }
    switch state {
    case .copyHead where Self.isSpace(byte), .copyHeadComment: return
    case .copyHead where byte == UInt8(ascii: "-"): state = .copyHeadDash
    case .copyHeadDash where byte == UInt8(ascii: "-"): state = .copyHeadComment
    default:
      throw PostgresError(
        .invalidScript,
        "At \(position) something follows COPY … FROM STDIN; on the same line. Its rows begin on "
          + "the next line; put a newline there.",
        scriptPosition: position)
    }
  }

  private func readData(
    _ bytes: UnsafeRawBufferPointer, from start: Int, _ handler: (SQLPiece) throws -> Void
  ) throws -> Int {
    let newline = UInt8(ascii: "\n")
    // What of an end mark came with earlier bytes and has not been handed over.
    let held = endMarkMatched
    var isHeld = held > 0
    var index = start
    var markStart = start
    while index < bytes.count {
      guard isAtLineStart else {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[index...])
        guard let base = rest.baseAddress, let found = memchr(base, Int32(newline), rest.count)
        else {
          index = bytes.count
          break
        }
        index += UnsafeRawPointer(found) - base + 1
        position.line += 1
        isAtLineStart = true
        continue
      }
      let byte = bytes[index]
      if byte == newline, endMarkMatched >= 2 {
        try handOver(bytes[start..<markStart], handler)
        index += 1
        endMarkMatched = 0
        state = .normal
        position.line += 1
        position.column = 1
        position.offset += index - start
        try handler(.copyEnd)
        return index
      }
      if endMarkMatched < 3, byte == Self.endMark[endMarkMatched] {
        if endMarkMatched == 0 { markStart = index }
        endMarkMatched += 1
        index += 1
        continue
      }
      if isHeld { try Self.endMark[..<held].withUnsafeBytes { try handler(.copyData($0)) } }
      isHeld = false
      endMarkMatched = 0
      isAtLineStart = false
    }
    position.offset += index - start
    try handOver(bytes[start..<(endMarkMatched > 0 ? markStart : index)], handler)
    return index
  }

  private func handOver(
    _ bytes: Slice<UnsafeRawBufferPointer>, _ handler: (SQLPiece) throws -> Void
  ) throws {
    guard !bytes.isEmpty else { return }
    try handler(.copyData(UnsafeRawBufferPointer(rebasing: bytes)))
  }

  /// The file ended in the rows: right only when their end mark is its last line.
  func finishRows(_ handler: (SQLPiece) throws -> Void) throws {
    guard isAtLineStart, endMarkMatched >= 2 else { throw unterminatedRows() }
    state = .normal
    try handler(.copyEnd)
  }

  func unterminatedRows() -> PostgresError {
    PostgresError(
      .invalidScript,
      "The file ends within the rows of the COPY statement at \(opening); the line \\. that ends "
        + "them is missing. The file is cut off.",
      scriptPosition: opening)
  }
}
