import Crypto
import Postgres

/// A line of the index while it is written: an SQL comment that holds a JSON object, in ASCII.
struct IndexLine {
  private(set) var bytes: [UInt8]

  /// - Parameter record: what the line tells, its first field.
  init(_ record: String) {
    bytes = Array("-- {".utf8)
    add("record", record)
  }

  /// The line with its end.
  var finished: [UInt8] { bytes + Array("}\n".utf8) }

  mutating func add(_ key: String, _ value: Int) {
    name(key)
    bytes += Array(String(value).utf8)
  }

  mutating func add(_ key: String, hash: UInt64) {
    let digits = String(hash, radix: 16)
    add(key, String(repeating: "0", count: 16 - digits.count) + digits)
  }

  mutating func add(_ key: String, _ value: String) {
    name(key)
    quote(value)
  }

  /// Text from the catalogs. What is not UTF-8 is given in hexadecimal, under another key.
  mutating func add(_ key: String, _ value: SQLText) {
    if let string = value.validString {
      add(key, string)
    } else {
      add(key + "_hex", Hex.encode(value.bytes))
    }
  }

  mutating func add(_ key: String, _ values: [SQLText]) {
    let strings = values.compactMap(\.validString)
    let isValid = strings.count == values.count
    list(isValid ? key : key + "_hex", isValid ? strings : values.map { Hex.encode($0.bytes) }) {
      $0.quote($1)
    }
  }

  mutating func add(_ key: String, _ values: [Int]) {
    list(key, values) { $0.bytes += Array(String($1).utf8) }
  }

  private mutating func list<Value>(
    _ key: String, _ values: [Value], _ write: (inout IndexLine, Value) -> Void
  ) {
    name(key)
    bytes.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      write(&self, value)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  private mutating func name(_ key: String) {
    if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
    quote(key)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func quote(_ value: String) {
    bytes.append(UInt8(ascii: "\""))
    for unit in value.utf16 {
      switch unit {
      case 0x22, 0x5C:
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(UInt8(truncatingIfNeeded: unit))
      case 0x20..<0x7F:
        bytes.append(UInt8(truncatingIfNeeded: unit))
      default:
        let digits = String(unit, radix: 16)
        bytes += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension SQLText {
  /// The text as a string when it is UTF-8.
  fileprivate var validString: String? { String(validating: bytes, as: UTF8.self) }
}
