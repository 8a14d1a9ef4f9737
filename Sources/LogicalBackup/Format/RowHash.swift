/// The hash of one row of a table: 64 bits over its COPY text.
///
/// Not cryptographic: it is there to notice rows that were lost, doubled or changed, at a few
/// gigabytes a second. docs/repository-format.md specifies it; a change of it is a change of the
/// file's format.
public enum RowHash {
  // Digits of pi's fraction, with a byte 0x0A set in the two that meet text: no row holds a
  // newline, so text never turns a factor into zero.
  static let seed: UInt64 = 0x243F_6A88_85A3_08D3
  static let bodyKey: UInt64 = 0x1319_8A0A_0370_7345
  static let tailKey: UInt64 = 0xA409_3822_0A9F_31D1
  static let lengthKey: UInt64 = 0x082E_FA98_EC4E_6C89

  /// The hash of a row's text without the newline that ends it.
  @inline(__always)
  public static func hash(_ row: UnsafeRawBufferPointer) -> UInt64 {
    // An empty buffer may have no address; none of its bytes is read then.
    withUnsafePointer(to: seed) { hash(row.baseAddress ?? UnsafeRawPointer($0), row.count) }
  }

  @inline(__always)
  static func hash(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var state = seed
    var cursor = start
    var left = count
    while left > 16 {
      state = mix(word(cursor) ^ bodyKey, word(cursor + 8) ^ state)
      cursor += 16
      left -= 16
    }
    let (low, high) = tail(cursor, left)
    state = mix(low ^ tailKey, high ^ state)
    return mix(state ^ UInt64(truncatingIfNeeded: count), lengthKey)
  }

  /// The last 0 to 16 bytes as two words, filled up with zeros, without reading beyond them.
  @inline(__always)
  private static func tail(_ start: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
    if count >= 8 {
      let low = word(start)
      guard count > 8 else { return (low, 0) }
      // The last eight bytes overlap the first: what overlaps is shifted out.
      return (low, word(start + count - 8) >> UInt64(8 * (16 - count)))
    }
    if count >= 4 {
      let low = UInt64(half(start))
      guard count > 4 else { return (low, 0) }
      let rest = UInt64(half(start + count - 4)) >> UInt64(8 * (8 - count))
      return (low | rest << 32, 0)
    }
    var low: UInt64 = 0
    var index = 0
    while index < count {
      low |= UInt64(start.load(fromByteOffset: index, as: UInt8.self)) << UInt64(8 * index)
      index += 1
    }
    return (low, 0)
  }

  @inline(__always)
  private static func word(_ at: UnsafeRawPointer) -> UInt64 {
    UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
  }

  @inline(__always)
  private static func half(_ at: UnsafeRawPointer) -> UInt32 {
    UInt32(littleEndian: at.loadUnaligned(as: UInt32.self))
  }

  /// The two halves of the 128-bit product, one upon the other.
  @inline(__always)
  private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
