/// The names that a server's `synchronous_standby_names` holds.
///
/// Grammar: a list, or `FIRST n (list)`, `ANY n (list)`, `n (list)`; a name is a word, in double
/// quotes or not, or `*` for any. The server compares without regard to case.
struct StandbyNames {
  let names: [String]
  /// Whether any standby is taken, whatever it calls itself.
  let takesAny: Bool

  init(_ setting: String) {
    var list = setting[...]
    if let open = Self.unquotedParenthesis(setting) { list = setting[open...].dropFirst() }
    var names: [String] = []
    var any = false
    while let character = list.first {
      switch character {
      case "\"":
        list.removeFirst()
        var name = ""
        while let next = list.popFirst() {
          if next == "\"" {
            guard list.first == "\"" else { break }
            list.removeFirst()
          }
          name.append(next)
        }
        names.append(name)
      case "*":
        any = true
        list.removeFirst()
      case " ", ",", "\t", "\n", "(", ")": list.removeFirst()
      default:
        let word = list.prefix { !" ,\t\n()\"".contains($0) }
        names.append(String(word))
        list.removeFirst(word.count)
      }
    }
    self.names = names
    takesAny = any
  }

  func take(_ applicationName: String) -> Bool {
    takesAny || names.contains { $0.lowercased() == applicationName.lowercased() }
  }

  private static func unquotedParenthesis(_ text: String) -> String.Index? {
    var isQuoted = false
    return text.indices.first { index in
      if text[index] == "\"" { isQuoted.toggle() }
      return text[index] == "(" && !isQuoted
    }
  }
}
