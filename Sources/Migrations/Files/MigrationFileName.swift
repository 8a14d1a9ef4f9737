/// What a name in the migrations folder stands for.
enum MigrationFileName: Equatable {
  case up(MigrationVersion, name: String)
  case down(MigrationVersion, name: String)
  /// `R__name.sql`: run again whenever its text changes.
  case repeatable(name: String)
  /// Not ours: notes, hidden files, `schema.sql`.
  case other
  /// An SQL file whose name says nothing that we know.
  case malformed(String)

  init(_ file: String) {
    let isSQL = file.hasSuffix(".sql") || file.lowercased().hasSuffix(".sql")
    guard isSQL, !file.hasPrefix("."), !Self.isSchema(file) else {
      self = .other
      return
    }
    if file.hasPrefix("R__") {
      let name = String(file.dropFirst(3).dropLast(4))
      self =
        file.hasSuffix(".sql") && !name.isEmpty
        ? .repeatable(name: name) : .malformed("a repeatable file is named R__<name>.sql")
      return
    }
    let isUp = file.hasSuffix(".up.sql")
    guard isUp || file.hasSuffix(".down.sql") else {
      self = .malformed("the name must end in .up.sql or .down.sql")
      return
    }
    // By bytes: what is looked for is ASCII.
    let stem = file[..<file.utf8.index(file.endIndex, offsetBy: isUp ? -7 : -9)]
    guard let underscore = stem.utf8.firstIndex(of: UInt8(ascii: "_")) else {
      self = .malformed("the name must be <version>_<name>\(isUp ? ".up" : ".down").sql")
      return
    }
    guard let version = MigrationVersion(stem[..<underscore]) else {
      self = .malformed(
        "the version \"\(stem[..<underscore])\" before the first _ must be 1 to 19 digits")
      return
    }
    let name = String(stem[stem.utf8.index(after: underscore)...])
    guard !name.isEmpty else {
      self = .malformed("there is no name between the version and the ending")
      return
    }
    self = isUp ? .up(version, name: name) : .down(version, name: name)
  }

  private static func isSchema(_ file: String) -> Bool {
    file.utf8.count == 10 && file.lowercased() == "schema.sql"
  }
}
