/// goose: `<version>_<name>.sql` with `-- +goose Up` and `-- +goose Down`, statements with
/// semicolons inside between StatementBegin and StatementEnd, and `-- +goose NO TRANSACTION` for
/// the whole file (goose's documentation, "Annotations").
struct GooseReader: ForeignReader {
  private enum Mark {
    case up, down, none, noTransaction, variables
  }

  func read(_ file: ForeignFile, into files: inout ForeignFiles) throws(MigrationsError) {
    if file.name.hasSuffix(".go"), !file.name.hasSuffix("_test.go"),
      file.versionAndName(ending: ".go") != nil
    {
      throw ForeignScript.problem(
        file.path, nil, "a migration in Go cannot be converted; write its SQL by hand")
    }
    guard let (version, name) = file.versionAndName(ending: ".sql") else { return }
    var texts: [Bool: [UInt8]] = [:]
    var isUp: Bool?
    var isTransactional = true
    for (mark, text) in MarkedSections.divide(file.bytes, at: Self.mark) {
      switch mark {
      case .up: isUp = true
      case .down: isUp = false
      case .noTransaction: isTransactional = false
      case .variables:
        throw ForeignScript.problem(
          file.path, nil, "ENVSUB replaces variables; write ${NAME} and -- pgkeep: env NAME")
      case .none: break
      }
      if let isUp { texts[isUp, default: []] += text }
    }
    guard let up = texts[true] else {
      throw ForeignScript.problem(file.path, nil, "there is no -- +goose Up")
    }
    files.add(
      id: String(version.number), version, name,
      try ForeignScript(up, source: file.path, isTransactional: isTransactional),
      try texts[false].map { text throws(MigrationsError) in
        try ForeignScript(text, source: file.path, isTransactional: isTransactional)
      })
  }

  private static func mark(_ line: String) -> Mark? {
    let words = line.dropFirst(2).split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
    guard words.first == "+goose" else { return nil }
    switch words.dropFirst().joined(separator: " ") {
    case "up": return .up
    case "down": return .down
    case "no transaction": return .noTransaction
    case "envsub on": return .variables
    default: return Mark.none
    }
  }
}
