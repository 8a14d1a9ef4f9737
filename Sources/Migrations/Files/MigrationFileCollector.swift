import Postgres

/// Gathers files one by one, and pairs them with every problem noted.
struct MigrationFileCollector {
  private typealias Half = (name: String, script: MigrationScript)

  var problems: [MigrationProblem] = []
  private var ups: [MigrationVersion: [Half]] = [:]
  private var downs: [MigrationVersion: [Half]] = [:]
  private var repeatables: [RepeatableMigration] = []

  /// - Parameter kind: neither `other` nor `malformed`.
  mutating func add(_ kind: MigrationFileName, path: String, bytes: [UInt8]) {
    let script = MigrationScript(source: path, bytes: bytes, problems: &problems)
    switch kind {
    case .up(let version, let name): ups[version, default: []].append((name, script))
    case .down(let version, let name): downs[version, default: []].append((name, script))
    case .repeatable(let name):
      repeatables.append(RepeatableMigration(name: name, script: script))
    case .other, .malformed: return
    }
    check(script, kind)
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
    var migrations: [Migration] = []
    for version in Set(ups.keys).union(downs.keys).sorted() {
      let halves = (up: ups[version] ?? [], down: downs[version] ?? [])
      for extra in halves.up.dropFirst() {
        problem(
          extra, "its version is there twice: see also \(halves.up[0].script.source)")
      }
      for extra in halves.down.dropFirst() {
        problem(
          extra, "its version is there twice: see also \(halves.down[0].script.source)")
      }
      guard let up = halves.up.first else {
        if let down = halves.down.first {
          problem(down, "there is no .up.sql file for version \(version)")
        }
        continue
      }
      guard let down = halves.down.first else {
        if up.script.irreversibleReason == nil {
          problem(
            up,
            "the file that undoes it, \(version)_\(up.name).down.sql, is missing; if nothing can "
              + "undo it, say so at the top of this file: -- pgkeep: irreversible REASON")
        }
        migrations.append(Migration(version: version, name: up.name, up: up.script, down: nil))
        continue
      }
      if down.name != up.name, halves.up.count == 1, halves.down.count == 1 {
        problem(down, "its name differs from its up file's, \(up.script.source)")
      }
      migrations.append(
        Migration(version: version, name: up.name, up: up.script, down: down.script))
    }
    return migrations
  }

  private mutating func problem(_ half: Half, _ message: String) {
    problems.append(MigrationProblem(file: half.script.source, message: message))
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
