import ByteStream

/// Cuts a stream of bytes into lines.
struct LineReader {
  private let source: any ByteSource
  private let limit: Int
  private var piece = [UInt8](repeating: 0, count: 65_536)
  private var buffer: [UInt8] = []
  private var cursor = 0
  private var isAtEnd = false

  /// - Parameter limit: bytes; a longer line is an error.
  init(_ source: any ByteSource, limit: Int = 64 << 20) {
    self.source = source
    self.limit = limit
  }

  /// The next line without its newline; nil at the end.
  mutating func next() throws -> ArraySlice<UInt8>? {
    var searched = cursor
    while true {
      if let newline = buffer[searched...].firstIndex(of: 10) {
        defer { cursor = newline + 1 }
        return buffer[cursor..<newline]
      }
      searched = buffer.count - cursor
      if cursor > 0 {
        buffer.removeFirst(cursor)
        cursor = 0
      }
      guard !isAtEnd else {
        guard buffer.isEmpty else {
          throw LogicalBackupError(.damaged, "The backup's index ends in the middle of a line.")
        }
        return nil
      }
      guard buffer.count < limit else {
        throw LogicalBackupError(.damaged, "A line of the backup's index has no end.")
      }
      let got = try piece.withUnsafeMutableBytes { try source.read(into: $0) }
      buffer += piece[..<got]
      isAtEnd = got == 0
    }
  }
}
