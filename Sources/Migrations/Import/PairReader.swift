/// golang-migrate and sqlx: `<version>_<name>.up.sql` and `.down.sql`; sqlx also has
/// `<version>_<name>.sql` without a way back, and `-- no-transaction` as the first line.
struct PairReader: ForeignReader {
  let tool: ForeignTool

  func read(_ file: ForeignFile, into files: inout ForeignFiles) throws(MigrationsError) {
    let isDown = file.name.hasSuffix(".down.sql")
    guard
      let (version, name) = file.versionAndName(ending: isDown ? ".down.sql" : ".up.sql")
        ?? plain(file)
    else { return }
    let first = file.bytes.prefix { $0 != 0x0A }
    let isTransactional = tool != .sqlx || !first.starts(with: "-- no-transaction".utf8)
    let script = try ForeignScript(
      file.bytes, source: file.path, isTransactional: isTransactional)
    let id = String(version.number)
    if isDown {
      files.addDown(id: id, script)
    } else {
      files.add(id: id, version, name, script, nil)
    }
  }

  private func plain(_ file: ForeignFile) -> (MigrationVersion, String)? {
    tool == .sqlx ? file.versionAndName(ending: ".sql") : nil
  }
}
