extension SQLText {
  /// This name as an SQL identifier: bare where every PostgreSQL version reads it back as it is,
  /// in double quotes otherwise.
  ///
  /// Keywords of any category but unreserved are quoted, as `quote_ident()` does.
  public var quotedIdentifier: SQLText {
    if isBareIdentifier { return self }
    var quoted = SQLText()
    quoted.bytes.reserveCapacity(bytes.count + 2)
    quoted.bytes.append(UInt8(ascii: "\""))
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { quoted.bytes.append(byte) }
      quoted.bytes.append(byte)
    }
    quoted.bytes.append(UInt8(ascii: "\""))
    return quoted
  }

  /// This value as an SQL string literal that means the same whatever
  /// `standard_conforming_strings` is: `E'…'` when it holds a backslash.
  public var quotedLiteral: SQLText {
    let hasBackslash = bytes.contains(UInt8(ascii: "\\"))
    var quoted = SQLText()
    quoted.bytes.reserveCapacity(bytes.count + 4)
    if hasBackslash { quoted.bytes.append(UInt8(ascii: "E")) }
    quoted.bytes.append(UInt8(ascii: "'"))
    for byte in bytes {
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\") { quoted.bytes.append(byte) }
      quoted.bytes.append(byte)
    }
    quoted.bytes.append(UInt8(ascii: "'"))
    return quoted
  }

  /// `schema.name`, each quoted where it must be.
  public static func qualified(_ schema: SQLText, _ name: SQLText) -> SQLText {
    "\(schema.quotedIdentifier).\(name.quotedIdentifier)"
  }

  private var isBareIdentifier: Bool {
    guard let first = bytes.first else { return false }
    guard first == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
    else { return false }
    var hasDigit = false
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): break
      case UInt8(ascii: "0")...UInt8(ascii: "9"): hasDigit = true
      default: return false
      }
    }
    // No keyword has a digit.
    return hasDigit || !Keywords.quotedBytes.contains(bytes)
  }
}
