import Postgres

/// One entry of an access control list: `grantee=privileges/grantor`, where a privilege's letter
/// is followed by `*` when it may be passed on (documentation, 5.7).
struct AccessItem: Hashable, Sendable {
  /// Empty for PUBLIC.
  var grantee: SQLText
  var grantor: SQLText
  /// Letters of privileges without and with the option to grant them.
  var plain: String
  var withOption: String

  var letters: String { plain + withOption }

  var granteeName: SQLText { grantee.isEmpty ? "PUBLIC" : grantee.quotedIdentifier }

  /// The entries of an `aclitem[]` in text form.
  static func items(_ list: SQLText) -> [AccessItem] {
    ArrayText.elements(list).compactMap { $0 }.compactMap(Self.init)
  }

  init?(_ text: SQLText) {
    var rest = text.bytes[...]
    grantee = Self.takeName(&rest)
    guard rest.popFirst() == UInt8(ascii: "=") else { return nil }
    plain = ""
    withOption = ""
    while let byte = rest.popFirst(), byte != UInt8(ascii: "/") {
      let letter = Character(Unicode.Scalar(byte))
      if rest.first == UInt8(ascii: "*") {
        rest.removeFirst()
        withOption.append(letter)
      } else {
        plain.append(letter)
      }
    }
    grantor = Self.takeName(&rest)
  }

  /// A role's name, in double quotes when it holds anything but letters, digits and underscores.
  private static func takeName(_ rest: inout ArraySlice<UInt8>) -> SQLText {
    var name: [UInt8] = []
    var inQuotes = false
    while let byte = rest.first {
      if byte == UInt8(ascii: "\"") {
        rest.removeFirst()
        if inQuotes, rest.first == byte {
          name.append(byte)
          rest.removeFirst()
        } else {
          inQuotes.toggle()
        }
        continue
      }
      if !inQuotes, byte == UInt8(ascii: "=") || byte == UInt8(ascii: "/") { break }
      name.append(byte)
      rest.removeFirst()
    }
    return SQLText(bytes: name)
  }
}
