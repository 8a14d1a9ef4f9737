/// The migrations of a folder, read and checked as a whole.
public struct MigrationFiles: Sendable {
  /// The folder that they were read from.
  public let folder: String
  /// In order of version.
  public let migrations: [Migration]
  /// In the order in which they have to run.
  public let repeatables: [RepeatableMigration]
  /// Whether the down files were read.
  let hasDowns: Bool

  /// Reads every file of `folder`. Blocks; a thousand files take about a hundredth of a second.
  /// ``MigrationFolder`` does it while its owner does something else.
  ///
  /// - Throws: ``MigrationsError/Code/invalidFiles`` with all that is wrong, not only the first.
  public init(folder: String) throws(MigrationsError) {
    try self.init(folder: folder, omitsDowns: false)
  }

  /// - Parameter omitsDowns: whether down files are left unread: what comes of that is for
  ///   ``MigrationStatus`` only.
  init(folder: String, omitsDowns: Bool) throws(MigrationsError) {
    let directory = Folder(path: folder)
    let names: [String]
    do throws(Folder.Errno) { names = try directory.names() } catch {
      throw MigrationsError(
        .invalidFiles,
        "Cannot read the migrations folder \(folder): \(error). "
          + "Name another with --dir, or make the first migration with: migrate new NAME")
    }
    var collector = MigrationFileCollector()
    for file in ReadFile.all(names, in: directory, omitsDowns: omitsDowns) { collector.add(file) }
    try self.init(folder: folder, hasDowns: !omitsDowns, collector: collector)
  }

  /// Takes files that are in memory, for a program that carries its migrations in itself.
  ///
  /// - Parameter files: names, as they would be in a folder, and their bytes.
  /// - Throws: ``MigrationsError/Code/invalidFiles``.
  public init(files: [(name: String, bytes: [UInt8])]) throws(MigrationsError) {
    var collector = MigrationFileCollector()
    for file in files {
      collector.add(ReadFile(file.name, path: file.name) { () throws(Folder.Errno) in file.bytes })
    }
    try self.init(folder: "", hasDowns: true, collector: collector)
  }

  private init(
    folder: String, hasDowns: Bool, collector: MigrationFileCollector
  ) throws(MigrationsError) {
    var collector = collector
    self.folder = folder
    self.hasDowns = hasDowns
    migrations = collector.pairs()
    repeatables = collector.orderedRepeatables()
    guard collector.problems.isEmpty else {
      let count = collector.problems.count
      throw MigrationsError(
        .invalidFiles,
        "\(count == 1 ? "A problem" : "\(count) problems") in the migration files; "
          + "nothing was applied:",
        problems: collector.problems.sorted { ($0.file, $0.line ?? 0) < ($1.file, $1.line ?? 0) })
    }
  }

  /// The migration of that version, if there is a file for it.
  public func migration(_ version: MigrationVersion) -> Migration? {
    var low = 0
    var high = migrations.count
    while low < high {
      let middle = (low + high) / 2
      if migrations[middle].version < version { low = middle + 1 } else { high = middle }
    }
    return low < migrations.count && migrations[low].version == version ? migrations[low] : nil
  }
}
