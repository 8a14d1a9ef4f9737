import Crypto

/// The text in front of an encrypted file: who can open it, and a code over all of that.
///
/// Source: the C2SP specification "The age file encryption format", version 1.
struct AgeHeader: Hashable {
  struct Stanza: Hashable {
    /// The kind, and what the kind needs.
    var arguments: [String]
    var body: [UInt8]
  }

  var stanzas: [Stanza]
  var code: [UInt8] = []
  /// Bytes of the whole header.
  var length = 0

  static let version = "age-encryption.org/v1"
  /// Bytes; no header that we read is longer.
  static let longest = 1 << 18
  private static let columns = 64

  /// All up to and including `---`: what the code is over.
  private func signedText() -> String {
    var text = Self.version + "\n"
    for stanza in stanzas {
      text += "-> " + stanza.arguments.joined(separator: " ") + "\n"
      var body = Base64.encode(stanza.body, padded: false)[...]
      // A line of full length is followed by another, if only an empty one.
      while body.utf8.count >= Self.columns {
        text += body.prefix(Self.columns) + "\n"
        body = body.dropFirst(Self.columns)
      }
      text += body + "\n"
    }
    return text + "---"
  }

  private func expectedCode(fileKey: [UInt8]) throws -> [UInt8] {
    let key = try KeyDerivation.hkdf(secret: fileKey, salt: [], info: "header")
    return try MessageAuthentication.hmacSHA256(key: key, Array(signedText().utf8))
  }

  /// As written to a file.
  func encoded(fileKey: [UInt8]) throws -> [UInt8] {
    let code = Base64.encode(try expectedCode(fileKey: fileKey), padded: false)
    return Array((signedText() + " " + code + "\n").utf8)
  }

  /// Throws ``AgeError/Code/headerDamaged`` when the code is not that of this header.
  func check(fileKey: [UInt8]) throws {
    guard MessageAuthentication.areEqual(try expectedCode(fileKey: fileKey), code) else {
      throw AgeError(.headerDamaged, "the header of the encrypted file was changed")
    }
  }

  init(stanzas: [Stanza]) { self.stanzas = stanzas }

  /// Reads a header from a file's first bytes; nil when more of them are needed.
  init?(parsing bytes: [UInt8]) throws {
    let first = Array((Self.version + "\n").utf8)
    guard bytes.prefix(first.count).elementsEqual(first.prefix(bytes.count)) else {
      throw AgeError(.notAge, "it is not a file that age encrypted")
    }
    guard bytes.count >= first.count else { return nil }
    var reader = HeaderLines(bytes, from: first.count)
    var stanzas: [Stanza] = []
    while let line = try reader.next() {
      if line.hasPrefix("--- ") {
        guard let code = Base64.decode(line.dropFirst(4), padded: false), code.count == 32,
          !stanzas.isEmpty
        else { throw Self.malformed }
        self.init(stanzas: stanzas)
        self.code = code
        length = reader.position
        return
      }
      guard line.hasPrefix("-> ") else { throw Self.malformed }
      let arguments = line.dropFirst(3).split(separator: " ", omittingEmptySubsequences: false)
      guard arguments.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (33...126).contains($0) } })
      else { throw Self.malformed }
      guard let body = try Self.body(&reader) else { return nil }
      stanzas.append(Stanza(arguments: arguments.map(String.init), body: body))
    }
    return nil
  }

  private static func body(_ reader: inout HeaderLines) throws -> [UInt8]? {
    var text = ""
    while let line = try reader.next() {
      guard line.utf8.count <= columns else { throw malformed }
      text += line
      guard line.utf8.count < columns else { continue }
      guard let body = Base64.decode(text, padded: false) else { throw malformed }
      return body
    }
    return nil
  }

  static var malformed: AgeError {
    AgeError(
      .malformedHeader, "the header of the encrypted file has a form that age does not allow")
  }
}

/// The lines of a header.
private struct HeaderLines {
  private let bytes: [UInt8]
  private(set) var position: Int

  init(_ bytes: [UInt8], from position: Int) {
    self.bytes = bytes
    self.position = position
  }

  /// The next line without its end; nil when it is not all there.
  mutating func next() throws -> String? {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
      guard bytes.count < AgeHeader.longest else { throw AgeHeader.malformed }
      return nil
    }
    let line = bytes[position..<end]
    position = end + 1
    guard line.allSatisfy({ (32...126).contains($0) }) else { throw AgeHeader.malformed }
    return String(decoding: line, as: UTF8.self)
  }
}
