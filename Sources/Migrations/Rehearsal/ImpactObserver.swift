import Postgres

/// Measures each statement of one migration on the scratch database.
final class ImpactObserver: StatementObserver {
  private struct Relation {
    var name: String
    /// `r`, `p`, `m`, `v`, `i` or `I`, as in `pg_class`.
    var kind: Character
    var file: String
    var columns: [String: ObservedColumn]
    var locks: Set<String> = []
    var scans = 0
  }

  private var known: [String: Relation]
  private var indexes: Set<String>
  /// Relations that the migration made itself.
  private var seen: Set<String> = []
  private(set) var impacts: [(statement: ScriptStatement, impacts: [StatementImpact])] = []

  /// - Parameter connection: to the scratch database, before the migration.
  init(_ connection: Connection) throws {
    known = [:]
    indexes = []
    let state = try Self.look(connection)
    known = state.relations
    indexes = Set(state.indexes.keys)
  }

  func after(_ statement: ScriptStatement, _ work: Connection) throws {
    let now = try Self.look(work)
    var found: [StatementImpact] = []
    for (oid, before) in known.sorted(by: { $0.value.name < $1.value.name }) {
      var impact = StatementImpact(relation: before.name, kind: before.kind)
      guard let after = now.relations[oid] else {
        impact.isGone = true
        impact.lock = "AccessExclusiveLock"
        found.append(impact)
        known[oid] = nil
        continue
      }
      let added = after.locks.subtracting(before.locks)
      impact.lock = LockMode.strongest(added)
      impact.isRewritten = after.file != before.file
      impact.isScanned = after.scans > before.scans
      if after.name != before.name { impact.newName = after.name }
      impact.lostColumns = before.columns.keys.filter { after.columns[$0] == nil }.sorted()
      impact.newColumns = after.columns.values.filter { before.columns[$0.name] == nil }
        .sorted { $0.name < $1.name }
      impact.nowNullable = after.columns.values.filter {
        !$0.isNotNull && before.columns[$0.name]?.isNotNull == true
      }.map(\.name).sorted()
      impact.newIndexes = now.indexes.filter { $0.value == oid && !indexes.contains($0.key) }
        .compactMap { now.relations[$0.key]?.name }.sorted()
      if impact.lock != nil || impact.isRewritten || !impact.newIndexes.isEmpty
        || !impact.lostColumns.isEmpty || !impact.newColumns.isEmpty || impact.newName != nil
      {
        found.append(impact)
      }
      known[oid] = after
    }
    let made = now.relations.filter { known[$0.key] == nil && !seen.contains($0.key) }
    for (oid, relation) in made.sorted(by: { $0.value.name < $1.value.name }) {
      seen.insert(oid)
      guard "rp".contains(relation.kind) else { continue }
      var impact = StatementImpact(relation: relation.name, kind: relation.kind)
      impact.isNew = true
      impact.newColumns = relation.columns.values.sorted { $0.name < $1.name }
      found.append(impact)
    }
    indexes.formUnion(now.indexes.keys)
    impacts.append((statement, found))
  }

  /// All relations but the system's and our own; and the table of each index.
  private static func look(
    _ connection: Connection
  ) throws -> (relations: [String: Relation], indexes: [String: String]) {
    let result = try connection.query(
      """
      SELECT c.oid, n.nspname || '.' || c.relname, c.relkind,
        COALESCE(pg_catalog.pg_relation_filenode(c.oid), 0), i.indrelid,
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(E'\\x02', a.attname,
             pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
             a.atthasdef OR a.attidentity <> '' OR EXISTS (
               SELECT FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid AND t.typdefault IS NOT NULL),
             EXISTS (SELECT FROM pg_catalog.pg_index k WHERE k.indrelid = c.oid AND k.indisprimary
               AND k.indnatts = 1 AND k.indkey[0] = a.attnum)), E'\\x01')
         FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
        (SELECT pg_catalog.string_agg(DISTINCT l.mode, ',') FROM pg_catalog.pg_locks l
         WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
           AND l.relation = c.oid),
        COALESCE((SELECT s.seq_scan FROM pg_catalog.pg_stat_xact_all_tables s
         WHERE s.relid = c.oid), 0)
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
      WHERE c.relkind = ANY ('{r,p,m,v,i,I}') AND n.nspname !~ '^(pg_|information_schema$|pgkeep$)'
      """)
    var relations: [String: Relation] = [:]
    var indexes: [String: String] = [:]
    for row in 0..<result.rowCount {
      let oid = result.string(row, 0)
      relations[oid] = Relation(
        name: result.string(row, 1), kind: result.string(row, 2).first ?? "r",
        file: result.string(row, 3), columns: ObservedColumn.list(result.string(row, 5)),
        locks: Set(result.string(row, 6).split(separator: ",").map(String.init)),
        scans: result.int(row, 7) ?? 0)
      if !result.isNull(row, 4) { indexes[oid] = result.string(row, 4) }
    }
    return (relations, indexes)
  }
}

/// PostgreSQL's table locks by strength (documentation, "Explicit Locking").
enum LockMode {
  private static let order = [
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
  ]

  static func strongest(_ modes: Set<String>) -> String? {
    order.last { modes.contains($0) }
  }

  /// `ACCESS EXCLUSIVE`
  static func words(_ mode: String) -> String {
    var words = ""
    for character in mode.hasSuffix("Lock") ? mode.dropLast(4) : mode[...] {
      if character.isUppercase, !words.isEmpty { words += " " }
      words += character.uppercased()
    }
    return words
  }

  static func blocksReads(_ mode: String) -> Bool { mode == "AccessExclusiveLock" }

  static func blocksWrites(_ mode: String) -> Bool {
    (order.firstIndex(of: mode) ?? 0) >= (order.firstIndex(of: "ShareLock") ?? 0)
  }
}
