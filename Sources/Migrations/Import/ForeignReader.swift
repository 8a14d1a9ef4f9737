import Postgres

/// Reads another tool's files one by one, in order of name.
protocol ForeignReader {
  func read(_ file: ForeignFile, into files: inout ForeignFiles) throws(MigrationsError)
}

/// A file of another tool.
struct ForeignFile {
  let name: String
  let path: String
  let bytes: [UInt8]

  /// `0007` and `add_orders` of `0007_add_orders.sql`; nil for other names.
  func versionAndName(ending: String) -> (MigrationVersion, String)? {
    guard name.hasSuffix(ending), let underscore = name.firstIndex(of: "_"),
      let version = MigrationVersion(name[..<underscore])
    else { return nil }
    let rest = NewMigration.fileName(
      String(name[name.index(after: underscore)...].dropLast(ending.count)))
    return (version, rest.isEmpty ? "migration" : rest)
  }
}

extension ForeignFiles {
  /// Reads a folder.
  ///
  /// - Throws: ``MigrationsError/Code/invalidFiles`` when the folder cannot be read.
  init(folder: String, _ reader: some ForeignReader) throws(MigrationsError) {
    let directory = Folder(path: folder)
    do throws(Folder.Errno) {
      for name in try directory.names() where !name.hasPrefix(".") {
        guard [".sql", ".go", ".java"].contains(where: name.hasSuffix) else { continue }
        let file = ForeignFile(
          name: name, path: directory.file(name), bytes: try directory.read(name))
        do throws(MigrationsError) { try reader.read(file, into: &self) } catch {
          problems += error.problems
        }
      }
    } catch {
      throw MigrationsError(.invalidFiles, "Cannot read the folder \(folder): \(error)")
    }
    migrations.sort { $0.version < $1.version }
  }

  mutating func add(
    id: String, _ version: MigrationVersion, _ name: String, _ up: ForeignScript,
    _ down: ForeignScript?
  ) {
    var migration = ForeignMigration(id: id, version: version, name: name, up: up.text)
    migration.isUpTransactional = up.isTransactional
    if let down, !down.isEmpty {
      migration.down = down.text
      migration.isDownTransactional = down.isTransactional
    }
    // A down file may have come first: names are in order.
    if let index = migrations.firstIndex(where: { $0.id == id && $0.up.isEmpty }) {
      migration.down = migrations[index].down
      migration.isDownTransactional = migrations[index].isDownTransactional
      migrations[index] = migration
    } else {
      migrations.append(migration)
    }
  }

  /// Adds the way back to a migration that was read, or will be.
  mutating func addDown(id: String, _ down: ForeignScript) {
    guard !down.isEmpty else { return }
    if let index = migrations.firstIndex(where: { $0.id == id }) {
      migrations[index].down = down.text
      migrations[index].isDownTransactional = down.isTransactional
    } else if let version = FlywayReader.version(id) ?? FlywayReader.version(id, isPlain: true) {
      var migration = ForeignMigration(id: id, version: version, name: "", up: "")
      migration.down = down.text
      migration.isDownTransactional = down.isTransactional
      migrations.append(migration)
    }
  }
}
