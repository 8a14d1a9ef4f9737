import Postgres

/// Lists of options as the catalogs keep them: `name=value`.
enum OptionList {
  /// `name='value', …` for `WITH (…)` and `SET (…)`.
  static func storage(_ options: [SQLText], prefix: SQLText = "") -> SQLText {
    options.map { option in
      let (name, value) = split(option)
      // A value that is one plain word, such as `on`, is more readable bare.
      let shown = value.quotedIdentifier == value && !value.isEmpty ? value : value.quotedLiteral
      return "\(prefix)\(name.quotedIdentifier)=\(shown)"
    }.joined(separator: ", ")
  }

  /// `name 'value', …` for `OPTIONS (…)` of foreign objects.
  static func foreign(_ options: [SQLText]) -> SQLText {
    options.map { option in
      let (name, value) = split(option)
      return "\(name.quotedIdentifier) \(value.quotedLiteral)"
    }.joined(separator: ", ")
  }

  static func split(_ option: SQLText) -> (name: SQLText, value: SQLText) {
    guard let equals = option.bytes.firstIndex(of: UInt8(ascii: "=")) else {
      return (option, SQLText())
    }
    return (
      SQLText(bytes: option.bytes[..<equals]),
      SQLText(bytes: option.bytes[option.bytes.index(after: equals)...])
    )
  }
}
