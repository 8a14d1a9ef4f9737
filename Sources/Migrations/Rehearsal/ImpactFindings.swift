import Postgres

/// Turns what statements did into findings, weighed by how large the target's tables are.
struct ImpactFindings {
  let script: MigrationScript
  let sizes: RelationSizes

  func findings(
    _ measured: [(statement: ScriptStatement, impacts: [StatementImpact])]
  ) -> [RehearsalFinding] {
    measured.flatMap { statement, impacts in
      impacts.flatMap { impact in
        named(statement, impact).map { name, message, advice in
          RehearsalFinding(
            name: name, file: script.source, line: statement.statement.start.line,
            message: "statement \(statement.ordinal): \(message)", advice: advice,
            isSmall: sizes.isSmall(impact.relation))
        }
      }
    }
  }

  private typealias Named = (RehearsalFinding.Name, message: String, advice: String)

  private static let wait =
    "first release the code that no longer uses it, then drop it in a later migration; "
    + "migrate up --keep-dropped lets the down bring the rows back"
  private static let rename = "; instead of renaming, add the new one and keep both for a while"

  private func named(_ statement: ScriptStatement, _ impact: StatementImpact) -> [Named] {
    let table = sizes.words(impact.relation)
    let types = ColumnTypes.findings(impact)
    if impact.isNew { return types }
    if impact.isIndex {
      guard impact.isRewritten else { return [] }
      return [
        (
          .indexRebuild, "index \(table) is built anew",
          "use REINDEX INDEX CONCURRENTLY, or a type change that keeps the index"
        )
      ]
    }
    let isView = impact.kind == "v"
    let gone: RehearsalFinding.Name = isView ? .viewDropped : .tableDropped
    let noun = isView ? "view" : "table"
    if impact.isGone { return [(gone, "\(noun) \(table) is gone", Self.wait)] }
    var found = types
    if let newName = impact.newName {
      found.append(
        (gone, "\(noun) \(table) is now \(newName)", Self.wait + Self.rename))
    }
    if !impact.lostColumns.isEmpty {
      found.append(
        (
          .columnDropped, "\(table) loses \(impact.lostColumns.joined(separator: ", "))",
          Self.wait + Self.rename
        ))
    }
    if isView { return found }
    if !impact.nowNullable.isEmpty {
      found.append(
        (
          .notNullDropped,
          "\(impact.nowNullable.joined(separator: ", ")) of \(table) may be null from now on",
          "first release the code that can read a null there"
        ))
    }
    for column in impact.newColumns where column.isNotNull && !column.hasDefault {
      guard !sizes.isEmpty(impact.relation) else { continue }
      found.append(
        (
          .requiredColumn, "column \(column.name) of \(table) wants a value and has no default",
          "give it a DEFAULT, or add it nullable, fill it, and set NOT NULL in a later migration"
        ))
    }
    return found + locks(statement, impact, table)
  }

  /// What it costs those who use the table at the same time.
  private func locks(
    _ statement: ScriptStatement, _ impact: StatementImpact, _ table: String
  ) -> [Named] {
    let lock = impact.lock.map { LockMode.words($0) } ?? "ACCESS EXCLUSIVE"
    let first = statement.statement.words.first
    if impact.isRewritten, first == "truncate" {
      return [
        (
          .tableEmptied, "\(table) loses all of its rows",
          "no down brings them back; CASCADE takes the tables that refer to it along"
        )
      ]
    }
    if impact.isRewritten {
      let advice =
        impact.kind == "m"
        ? "REFRESH MATERIALIZED VIEW CONCURRENTLY; it needs a unique index"
        : "add a new column, fill it in batches in a no-transaction migration, then change over"
      return [(.tableRewrite, "\(lock) on \(table) while it is rewritten", advice)]
    }
    if impact.lock == "RowExclusiveLock", impact.isScanned, first == "update" || first == "delete" {
      return [
        (
          .backfill, "rows of all of \(table) are changed in one transaction",
          "change them in batches in a no-transaction migration of its own, after the schema"
        )
      ]
    }
    var found: [Named] = []
    for index in impact.newIndexes where impact.lock.map(LockMode.blocksWrites) ?? false {
      found.append(
        (
          .blockingIndex, "\(lock) on \(table) while index \(index) is built",
          "CREATE INDEX CONCURRENTLY in a -- pgkeep: no-transaction file; for a constraint, ADD "
            + "CONSTRAINT … USING INDEX afterwards"
        ))
    }
    guard let mode = impact.lock, LockMode.blocksWrites(mode), impact.newIndexes.isEmpty else {
      return found
    }
    let advice =
      "short by itself; keep such statements last in a migration, and away from long ones"
    if impact.isScanned {
      found.append(
        (
          .scanUnderLock, "\(lock) on \(table) while all of it is read",
          "ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in the next migration; SET NOT NULL "
            + "and ATTACH PARTITION read nothing where a validated CHECK proves it"
        ))
    } else if LockMode.blocksReads(mode) {
      let better =
        first == "drop" && statement.statement.words.contains("index")
        ? "DROP INDEX CONCURRENTLY in a -- pgkeep: no-transaction file" : advice
      found.append((.blocksReads, "\(lock) on \(table) until the migration ends", better))
    } else {
      found.append((.blocksWrites, "\(lock) on \(table) until the migration ends", advice))
    }
    return found
  }
}

/// Types of new columns that people regret.
enum ColumnTypes {
  static func findings(
    _ impact: StatementImpact
  ) -> [(RehearsalFinding.Name, message: String, advice: String)] {
    guard "rp".contains(impact.kind) else { return [] }
    return impact.newColumns.compactMap { column in
      guard let advice = advice(column) else { return nil }
      return (
        .columnType, "column \(column.name) of \(impact.relation) is \(column.type)", advice
      )
    }
  }

  private static func advice(_ column: ObservedColumn) -> String? {
    let type = column.type
    if type == "json" { return "jsonb: json has no equality, so DISTINCT and UNION fail" }
    if type.hasPrefix("character(") { return "text: character(n) pads with spaces" }
    if type.hasPrefix("character varying(") {
      return "text with a CHECK on its length, which can be changed without a rewrite or a lock"
    }
    if type.hasPrefix("timestamp"), type.hasSuffix("without time zone") {
      return "timestamp with time zone: it means the same moment for everybody"
    }
    if column.isKey, type == "integer" || type == "smallint" {
      return "bigint: a key that runs out is a rewrite of the table under ACCESS EXCLUSIVE"
    }
    return nil
  }
}
