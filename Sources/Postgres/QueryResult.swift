import CLibPQ

/// The rows that a statement returned, in text form. Owns libpq's result.
public final class QueryResult {
  private let result: OpaquePointer?

  /// - Parameter result: a `PGresult` that this takes over.
  init(_ result: OpaquePointer?) { self.result = result }

  deinit { PQclear(result) }

  public var rowCount: Int { Int(PQntuples(result)) }
  public var columnCount: Int { Int(PQnfields(result)) }

  /// The server's word for what was done, such as `INSERT 0 1`.
  public var commandTag: String {
    guard let tag = PQcmdStatus(result) else { return "" }
    return String(cString: tag)
  }

  /// How many rows the statement inserted, changed, copied or returned; 0 when it says none.
  public var affectedRows: Int {
    guard let text = PQcmdTuples(result) else { return 0 }
    return Int(String(cString: text)) ?? 0
  }

  /// The bytes of one value, nil when it is NULL, valid inside `body`.
  public func withBytes<Result>(
    _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer?) throws -> Result
  ) rethrows -> Result {
    let (row, column) = (Int32(row), Int32(column))
    guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
      return try body(nil)
    }
    let length = Int(PQgetlength(result, row, column))
    return try body(UnsafeRawBufferPointer(start: value, count: length))
  }

  /// One value, nil when it is NULL.
  public subscript(_ row: Int, _ column: Int) -> SQLText? {
    withBytes(row, column) { $0.map { SQLText(bytes: Array($0)) } }
  }

  /// One value as a string; "" when it is NULL.
  public func string(_ row: Int, _ column: Int) -> String {
    withBytes(row, column) { $0.map { String(decoding: $0, as: UTF8.self) } ?? "" }
  }

  /// One value as an integer; nil when it is NULL or not one.
  public func int(_ row: Int, _ column: Int) -> Int? {
    withBytes(row, column) { bytes -> Int? in
      guard let bytes else { return nil }
      // Catalog queries return hundreds of thousands of plain numbers: no String for those.
      guard (1...18).contains(bytes.count) else {
        return Int(String(decoding: bytes, as: UTF8.self))
      }
      var number = 0
      for byte in bytes {
        let digit = Int(byte) - Int(UInt8(ascii: "0"))
        guard (0...9).contains(digit) else {
          return Int(String(decoding: bytes, as: UTF8.self))
        }
        number = number * 10 + digit
      }
      return number
    }
  }

  /// One value as a boolean; false when it is NULL.
  public func bool(_ row: Int, _ column: Int) -> Bool {
    withBytes(row, column) { $0?.first == UInt8(ascii: "t") }
  }

  /// Whether one value is NULL.
  public func isNull(_ row: Int, _ column: Int) -> Bool {
    PQgetisnull(result, Int32(row), Int32(column)) == 1
  }
}
