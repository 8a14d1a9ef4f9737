import Glibc

/// SQL, a name from a catalog or a value in text form: bytes in the connection's client encoding.
///
/// PostgreSQL databases may hold text that is not UTF-8 (`SQL_ASCII`, `LATIN1`), so what comes
/// from the server stays bytes until it is shown to a person. Literals and interpolation make it
/// as convenient to write as a `String`:
///
///     let sql: SQLText = "DROP TABLE \(table.quoted)"
///
/// Interpolation inserts text as it is. Quote names with ``SQLText/quotedIdentifier`` and values
/// with ``SQLText/quotedLiteral``.
public struct SQLText: Hashable, Sendable {
  public var bytes: [UInt8]

  public init() { bytes = [] }
  public init(bytes: [UInt8]) { self.bytes = bytes }
  public init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  public init(_ string: some StringProtocol) { bytes = Array(string.utf8) }

  public var isEmpty: Bool { bytes.isEmpty }

  /// For people: what is not UTF-8 is shown as replacement characters.
  public var string: String { String(decoding: bytes, as: UTF8.self) }

  public static func += (left: inout SQLText, right: SQLText) {
    left.bytes.append(contentsOf: right.bytes)
  }

  public static func + (left: SQLText, right: SQLText) -> SQLText {
    var sum = left
    sum += right
    return sum
  }

  public func hasPrefix(_ prefix: SQLText) -> Bool { bytes.starts(with: prefix.bytes) }

  public func hasSuffix(_ suffix: SQLText) -> Bool {
    bytes.count >= suffix.bytes.count
      && bytes.suffix(suffix.bytes.count).elementsEqual(suffix.bytes)
  }
}

extension SQLText: Comparable {
  /// Byte order: the same on every machine, whatever its locale.
  public static func < (left: SQLText, right: SQLText) -> Bool {
    left.bytes.withUnsafeBytes { left in
      right.bytes.withUnsafeBytes { right in
        let length = min(left.count, right.count)
        guard length > 0, let first = left.baseAddress, let second = right.baseAddress else {
          return left.count < right.count
        }
        let order = memcmp(first, second, length)
        return order == 0 ? left.count < right.count : order < 0
      }
    }
  }
}

extension SQLText: CustomStringConvertible {
  public var description: String { string }
}

extension SQLText: ExpressibleByStringInterpolation {
  public struct StringInterpolation: StringInterpolationProtocol {
    var text = SQLText()

    public init(literalCapacity: Int, interpolationCount: Int) {
      text.bytes.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }
    public mutating func appendLiteral(_ literal: String) {
      text.bytes.append(contentsOf: literal.utf8)
    }
    public mutating func appendInterpolation(_ value: SQLText) { text += value }
    // A choice of two literals must be of this type, not a string: what is interpolated in a string
    // is no longer bytes, and a name in another encoding than UTF-8 would be lost.
    @_disfavoredOverload
    public mutating func appendInterpolation(_ value: String) {
      text.bytes.append(contentsOf: value.utf8)
    }
    public mutating func appendInterpolation(_ value: some BinaryInteger) {
      text.bytes.append(contentsOf: String(value).utf8)
    }
  }

  public init(stringLiteral value: String) { bytes = Array(value.utf8) }
  public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }
}

extension Sequence<SQLText> {
  /// The elements one after another with `separator` between them.
  public func joined(separator: SQLText = "") -> SQLText {
    var joined = SQLText()
    for (index, element) in enumerated() {
      if index > 0 { joined += separator }
      joined += element
    }
    return joined
  }
}
