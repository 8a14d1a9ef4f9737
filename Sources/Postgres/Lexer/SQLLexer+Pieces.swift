/// What is handed over once it is complete, and what never is.
extension SQLLexer {
  func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
    statement?.text.bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes))
  }

  func complete(
    _ handler: (SQLPiece) throws -> Void, endsWithSemicolon: Bool = true
  ) throws {
    guard let whole = statement?.statement(endsWithSemicolon: endsWithSemicolon) else { return }
    statement = nil
    continuation = .none
    if whole.isCopyFromStdin {
      opening = whole.start
      state = .copyHead
    }
    try handler(.statement(whole))
  }

  func completeMetacommand(_ handler: (SQLPiece) throws -> Void) throws {
    while let last = metacommand.last, Self.isSpace(last) { metacommand.removeLast() }
    let command = SQLMetacommand(
      text: SQLText(bytes: metacommand), start: opening, isInsideStatement: statement != nil)
    state = .normal
    try handler(.metacommand(command))
  }

  /// psql passes over a UTF-8 byte order mark at the very beginning.
  ///
  /// - Returns: how many of `bytes` belong to it.
  func skipByteOrderMark(
    _ bytes: UnsafeRawBufferPointer, _ handler: (SQLPiece) throws -> Void
  ) throws -> Int {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    guard var matched = byteOrderMark else { return 0 }
    let before = matched
    while matched < mark.count, matched - before < bytes.count,
      bytes[matched - before] == mark[matched]
    {
      matched += 1
    }
    if matched == mark.count {
      byteOrderMark = nil
      position.offset = mark.count
      return matched - before
    }
    guard matched - before < bytes.count else {
      byteOrderMark = matched
      return bytes.count
    }
    // It only began like one: those bytes are text.
    byteOrderMark = nil
    if before > 0 { try feed(Array(mark[..<before]), handler) }
    return 0
  }

  func unterminated(_ what: String) -> PostgresError {
    PostgresError(
      .invalidScript, "The file ends inside the \(what) that begins at \(opening).",
      scriptPosition: opening)
  }
}
