/// Bech32, BIP 173, without its limit on length: how age writes keys.
enum Bech32 {
  private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

  /// - Parameter prefix: in lower case.
  static func encode(_ bytes: [UInt8], prefix: String) -> String {
    let values = regroup(bytes, from: 8, to: 5, padding: true) ?? []
    let check = checksum(expanded(prefix) + values + [0, 0, 0, 0, 0, 0]) ^ 1
    let digits = (0..<6).map { UInt8((check >> (5 * (5 - UInt32($0)))) & 31) }
    return prefix + "1"
      + String(decoding: (values + digits).map { alphabet[Int($0)] }, as: UTF8.self)
  }

  /// Nil for anything but canonical text in one case.
  static func decode(_ text: String) -> (prefix: String, bytes: [UInt8])? {
    let lower = text.lowercased()
    guard text == lower || text == text.uppercased(),
      text.utf8.allSatisfy({ (33...126).contains($0) }),
      let mark = lower.lastIndex(of: "1"), mark > lower.startIndex
    else { return nil }
    let prefix = String(lower[..<mark])
    let digits = lower[lower.index(after: mark)...].utf8
    guard digits.count >= 6 else { return nil }
    var values: [UInt8] = []
    for digit in digits {
      guard let value = alphabet.firstIndex(of: digit) else { return nil }
      values.append(UInt8(value))
    }
    guard checksum(expanded(prefix) + values) == 1,
      let bytes = regroup(Array(values.dropLast(6)), from: 5, to: 8, padding: false)
    else { return nil }
    return (prefix, bytes)
  }

  private static func expanded(_ prefix: String) -> [UInt8] {
    prefix.utf8.map { $0 >> 5 } + [0] + prefix.utf8.map { $0 & 31 }
  }

  private static func checksum(_ values: [UInt8]) -> UInt32 {
    let generator: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
    var check: UInt32 = 1
    for value in values {
      let top = check >> 25
      check = (check & 0x1ff_ffff) << 5 ^ UInt32(value)
      for i in 0..<5 where (top >> UInt32(i)) & 1 == 1 { check ^= generator[i] }
    }
    return check
  }

  private static func regroup(_ values: [UInt8], from: Int, to: Int, padding: Bool) -> [UInt8]? {
    var result: [UInt8] = []
    var buffer: UInt32 = 0
    var bits = 0
    for value in values {
      buffer = (buffer << UInt32(from) | UInt32(value)) & 0xfff
      bits += from
      while bits >= to {
        bits -= to
        result.append(UInt8(truncatingIfNeeded: (buffer >> UInt32(bits)) & ((1 << UInt32(to)) - 1)))
      }
    }
    let rest = buffer & ((1 << UInt32(bits)) - 1)
    if padding {
      if bits > 0 { result.append(UInt8(truncatingIfNeeded: rest << UInt32(to - bits))) }
    } else if bits >= from || rest != 0 {
      return nil
    }
    return result
  }
}
