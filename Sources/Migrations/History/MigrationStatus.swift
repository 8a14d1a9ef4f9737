/// Where a database stands compared to the files.
public struct MigrationStatus: Sendable {
  public enum State: String, Hashable, Sendable {
    /// In the database, and its file is as it was.
    case applied
    /// Has a file, and is not in the database.
    case pending
    /// In the database, without a file.
    case missing
    /// In the database, and its up file has changed since.
    case changed
    /// A migration without a transaction that stopped half way.
    case unfinished
  }

  /// One migration, or one repeatable file.
  public struct Line: Sendable {
    public var state: State
    /// nil for a repeatable file.
    public var version: MigrationVersion?
    public var name: String
    /// The history's row that brought it, or that began an unfinished attempt.
    public var entry: HistoryEntry?
    /// Whether the down file differs from what `down` would run; false where it was not looked at.
    public var isDownChanged: Bool
    /// Not applied, but older than the newest applied version.
    public var isOutOfOrder: Bool

    public var title: String { version.map { "\($0)_\(name)" } ?? "R__\(name)" }
  }

  /// In order of version, repeatable files last.
  public var lines: [Line]
  /// The migration that was applied last, if any.
  public var current: HistoryEntry?

  public func count(_ state: State) -> Int { lines.count { $0.state == state } }

  init(_ files: MigrationFiles, _ state: AppliedState) {
    var lines: [Line] = []
    let unfinished = Dictionary(
      state.unfinished.compactMap { entry in entry.version.map { ($0, entry) } },
      uniquingKeysWith: { $1 })
    let newest = state.newestVersion
    lines.reserveCapacity(files.migrations.count)
    for migration in files.migrations {
      let entry = state.applied(migration.version)
      let isChanged = entry?.upChecksum.map { $0 != migration.up.checksum } ?? false
      let stored = entry?.downChecksum
      var line = Line(
        state: entry == nil ? .pending : isChanged ? .changed : .applied,
        version: migration.version, name: migration.name, entry: entry,
        isDownChanged: files.hasDowns && stored != nil && migration.down?.checksum != stored,
        isOutOfOrder: entry == nil && newest.map { migration.version < $0 } ?? false)
      if let attempt = unfinished[migration.version] {
        line.state = .unfinished
        line.entry = attempt
        line.isOutOfOrder = false
      }
      lines.append(line)
    }
    let present = lines.count
    for entry in state.applied {
      guard let version = entry.version, files.migration(version) == nil,
        unfinished[version] == nil
      else { continue }
      lines.append(Line(.missing, entry))
    }
    for (version, entry) in unfinished where files.migration(version) == nil {
      lines.append(Line(.unfinished, entry))
    }
    if lines.count > present {
      lines.sort { ($0.version?.number ?? 0) < ($1.version?.number ?? 0) }
    }
    for file in files.repeatables {
      let entry = state.repeatables[file.name]
      lines.append(
        Line(
          state: entry?.upChecksum == file.script.checksum ? .applied : .pending, version: nil,
          name: file.name, entry: entry, isDownChanged: false, isOutOfOrder: false))
    }
    self.lines = lines
    current = state.applied.last
  }
}

extension MigrationStatus.Line {
  fileprivate init(_ state: MigrationStatus.State, _ entry: HistoryEntry) {
    self.init(
      state: state, version: entry.version, name: entry.name, entry: entry, isDownChanged: false,
      isOutOfOrder: false)
  }
}
