/// How keys become paths below a directory store's root, and back.
///
/// Each component of a key is a folder or a file of that name. A leading dot, `%` and what no
/// file name can hold are written as `%` and two digits, so that no key can leave the root or
/// look like a temporary file. Temporary files are `.<name>.<16 random digits>.tmp`.
enum FileNames {
  /// Linux allows 255 bytes; a temporary file's name needs 22 more than its final one.
  static let longest = 255 - 22
  private static let temporarySuffix = ".tmp"
  private static let digitCount = 16

  /// The path for a key, relative to the root.
  static func path(of key: String) throws -> String {
    try ObjectKey.check(key)
    let names = key.split(separator: "/").map(name)
    guard names.allSatisfy({ $0.utf8.count <= longest }) else {
      throw ObjectStoreError(
        .invalidLocation,
        "the object key \"\(key)\" has a component longer than a file name may be "
          + "(\(longest) bytes)", key: key)
    }
    return names.joined(separator: "/")
  }

  static func name(of component: some StringProtocol) -> String {
    var bytes: [UInt8] = []
    for (i, byte) in component.utf8.enumerated() {
      if byte == UInt8(ascii: "%") || (byte == UInt8(ascii: ".") && i == 0) {
        bytes += Array(byte == UInt8(ascii: "%") ? "%25".utf8 : "%2E".utf8)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The component that a file's name stands for; nil for files that are none of ours.
  static func component(of name: String) -> String? {
    guard !name.isEmpty, !name.utf8.starts(with: ".".utf8) else { return nil }
    var bytes: [UInt8] = []
    var rest = Array(name.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      switch Array(rest.prefix(2)) {
      case Array("25".utf8): bytes.append(UInt8(ascii: "%"))
      case Array("2E".utf8) where bytes.isEmpty: bytes.append(UInt8(ascii: "."))
      default: return nil
      }
      rest.removeFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The name of a new temporary file for a final name.
  static func temporary(for name: String, digits: String) -> String {
    ".\(name).\(digits)\(temporarySuffix)"
  }

  /// The final name that a temporary file was made for; nil when it is not one of ours.
  static func final(ofTemporary name: String) -> String? {
    let bytes = Array(name.utf8)
    let tail = digitCount + temporarySuffix.utf8.count + 1
    guard bytes.count > tail + 1, bytes[0] == UInt8(ascii: "."),
      bytes[bytes.count - tail] == UInt8(ascii: "."),
      bytes.suffix(temporarySuffix.utf8.count).elementsEqual(temporarySuffix.utf8)
    else { return nil }
    let digits = bytes.suffix(tail - 1).prefix(digitCount)
    guard digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
      return nil
    }
    return String(decoding: bytes[1..<bytes.count - tail], as: UTF8.self)
  }
}
