import Postgres

/// dbmate: `<version>_<name>.sql` with `-- migrate:up` and `-- migrate:down`, each with an
/// optional `transaction:false` (dbmate's README, "Creating Migrations").
struct DbmateReader: ForeignReader {
  func read(_ file: ForeignFile, into files: inout ForeignFiles) throws(MigrationsError) {
    guard let (version, name) = file.versionAndName(ending: ".sql") else { return }
    var up: ForeignScript?
    var down: ForeignScript?
    for ((isUp, isTransactional), text) in MarkedSections.divide(file.bytes, at: Self.mark) {
      let script = try ForeignScript(text, source: file.path, isTransactional: isTransactional)
      if isUp { up = script } else { down = script }
    }
    guard let up else { throw ForeignScript.problem(file.path, nil, "there is no -- migrate:up") }
    files.add(id: version.text, version, name, up, down)
  }

  private static func mark(_ line: String) -> (isUp: Bool, isTransactional: Bool)? {
    let words = line.dropFirst(2).split(whereSeparator: \.isWhitespace)
    guard words.first == "migrate:up" || words.first == "migrate:down" else { return nil }
    return (words.first == "migrate:up", !words.contains("transaction:false"))
  }
}
