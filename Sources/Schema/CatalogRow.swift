import Postgres

/// One row of a catalog query, read from left to right in the order of the select list.
struct CatalogRow {
  private let result: QueryResult
  private let row: Int
  private var column = 0

  init(_ result: QueryResult, _ row: Int) {
    self.result = result
    self.row = row
  }

  private mutating func next() -> Int {
    defer { column += 1 }
    return column
  }

  /// Text; empty when it is NULL.
  mutating func text() -> SQLText { result[row, next()] ?? SQLText() }
  mutating func optional() -> SQLText? { result[row, next()] }
  mutating func flag() -> Bool { result.bool(row, next()) }
  mutating func int() -> Int { result.int(row, next()) ?? 0 }
  mutating func optionalInt() -> Int? { result.int(row, next()) }
  mutating func oid() -> UInt32 { UInt32(truncatingIfNeeded: result.int(row, next()) ?? 0) }
  mutating func decimal() -> Double { Double(result.string(row, next())) ?? 0 }
  /// A value of type "char"; a space when it is empty.
  mutating func letter() -> Character {
    result.withBytes(row, next()) { bytes in
      bytes?.first.map { Character(UnicodeScalar($0)) } ?? " "
    }
  }
  /// An array of text; empty when it is NULL.
  mutating func array() -> [SQLText] {
    optional().map { ArrayText.elements($0).compactMap { $0 } } ?? []
  }
  /// A list of OIDs: `oidvector` as text, or an array.
  mutating func oids() -> [UInt32] {
    result.withBytes(row, next()) { bytes in
      var numbers: [UInt32] = []
      var isWithin = false
      for byte in bytes ?? UnsafeRawBufferPointer(start: nil, count: 0) {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
          isWithin = false
          continue
        }
        let digit = UInt32(byte - UInt8(ascii: "0"))
        if isWithin {
          numbers[numbers.count - 1] = numbers[numbers.count - 1] &* 10 &+ digit
        } else {
          numbers.append(digit)
        }
        isWithin = true
      }
      return numbers
    }
  }
}
