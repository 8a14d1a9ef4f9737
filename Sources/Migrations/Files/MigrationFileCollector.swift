import Postgres

/// Gathers files one by one, and pairs them with every problem noted.
struct MigrationFileCollector {
  /// The script is nil where the file was not read.
  private typealias Half = (
    version: MigrationVersion, name: String, path: String, script: MigrationScript?
  )

  var problems: [MigrationProblem] = []
  private var ups: [Half] = []
  private var downs: [Half] = []
  private var repeatables: [RepeatableMigration] = []

  mutating func add(_ file: ReadFile) {
    problems += file.problems
    switch file.kind {
    case .up(let version, let name): ups.append((version, name, file.path, file.script))
    case .down(let version, let name): downs.append((version, name, file.path, file.script))
    case .repeatable(let name):
      guard let script = file.script else { return }
      repeatables.append(RepeatableMigration(name: name, script: script))
    case .other, .malformed: return
    }
    if let script = file.script { check(script, file.kind) }
  }

  /// Directives that do not fit the kind of file, and files without any statement.
  private mutating func check(_ script: MigrationScript, _ kind: MigrationFileName) {
    func note(_ message: String) {
      problems.append(MigrationProblem(file: script.source, message: message))
    }
    if script.text.bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) {
      note("the file is empty")
    }
    if script.irreversibleReason != nil {
      guard case .up = kind else { return note("irreversible belongs into an .up.sql file") }
    }
    let isOrdered = script.directives.contains { if case .after = $0 { true } else { false } }
    if isOrdered {
      guard case .repeatable = kind else { return note("after belongs into an R__ file") }
    }
    if case .repeatable = kind, !script.isTransactional {
      note("a repeatable file cannot be no-transaction")
    }
  }

  /// The migrations in order of version.
  mutating func pairs() -> [Migration] {
    // Stable: of two with the same version, the first by name counts.
    ups.sort { $0.version < $1.version }
    downs.sort { $0.version < $1.version }
    var migrations: [Migration] = []
    migrations.reserveCapacity(ups.count)
    var (up, down) = (0, 0)
    while up < ups.count {
      let half = ups[up]
      while down < downs.count, downs[down].version < half.version { orphan(&down) }
      let hasDown = down < downs.count && downs[down].version == half.version
      let other = hasDown ? downs[down] : nil
      let isOnlyUp = isOnly(ups, &up)
      let isOnlyDown = !hasDown || isOnly(downs, &down)
      // One that could not be read is a problem already.
      guard let script = half.script else { continue }
      if let other {
        if other.name != half.name, isOnlyUp, isOnlyDown {
          problem(other, "its name differs from its up file's, \(half.path)")
        }
      } else if script.irreversibleReason == nil {
        problem(
          half,
          "the file that undoes it, \(half.version)_\(half.name).down.sql, is missing; if nothing "
            + "can undo it, say so at the top of this file: -- pgkeep: irreversible REASON")
      }
      migrations.append(
        Migration(
          version: half.version, name: half.name, up: script, down: other?.script))
    }
    while down < downs.count { orphan(&down) }
    return migrations
  }

  /// Goes behind all files of the version at `index`, and notes those that are too many.
  ///
  /// - Returns: whether there is no more than one.
  private mutating func isOnly(_ halves: [Half], _ index: inout Int) -> Bool {
    let first = halves[index]
    index += 1
    let start = index
    while index < halves.count, halves[index].version == first.version {
      problem(halves[index], "its version is there twice: see also \(first.path)")
      index += 1
    }
    return index == start
  }

  /// Notes that the down file at `index` has no up file, and goes behind all of its version.
  private mutating func orphan(_ index: inout Int) {
    let half = downs[index]
    _ = isOnly(downs, &index)
    problem(half, "there is no .up.sql file for version \(half.version)")
  }

  private mutating func problem(_ half: Half, _ message: String) {
    problems.append(MigrationProblem(file: half.path, message: message))
  }

  /// The repeatable files, each behind those that it names in `after`, by name otherwise.
  mutating func orderedRepeatables() -> [RepeatableMigration] {
    var byName: [String: RepeatableMigration] = [:]
    for file in repeatables { byName[file.name] = file }
    var ordered: [RepeatableMigration] = []
    var done: Set<String> = []
    var open: Set<String> = []
    func place(_ file: RepeatableMigration, _ problems: inout [MigrationProblem]) {
      guard !done.contains(file.name) else { return }
      guard open.insert(file.name).inserted else {
        problems.append(
          MigrationProblem(
            file: file.script.source, message: "its after directives lead back to itself"))
        return
      }
      for name in file.prerequisites {
        guard let earlier = byName[name] else {
          problems.append(
            MigrationProblem(
              file: file.script.source, message: "after names \(name): there is no R__\(name).sql"))
          continue
        }
        place(earlier, &problems)
      }
      open.remove(file.name)
      if done.insert(file.name).inserted { ordered.append(file) }
    }
    for file in repeatables.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
      place(file, &problems)
    }
    return ordered
  }
}
