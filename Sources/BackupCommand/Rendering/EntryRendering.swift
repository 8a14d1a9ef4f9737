import ObjectStore
import Repository
import ToolSupport

/// One backup: a line of `backup list`, and `backup show`.
enum EntryRendering {
  /// In a word or a sentence.
  static func state(_ entry: CatalogEntry, _ now: UTCTime) -> String {
    if let problem = entry.problem { return "NOT USABLE: \(problem)" }
    var words = [entry.isWhole ? "complete" : Self.partial(entry)]
    if entry.manifest?.object.encryption != nil { words.append("encrypted") }
    if let proof = entry.newestProof {
      words.append(
        proof.passed
          ? "\(proof.kind == .read ? "" : "deeply ")verified \(Humane.ago(proof.time, now: now)): "
            + Humane.plural(proof.tables, "table") + ", " + Humane.plural(proof.rows, "row")
          : "FAILED VERIFICATION \(Humane.ago(proof.time, now: now))")
    }
    return words.joined(separator: ", ")
  }

  /// What a partial backup holds, as briefly as a line of a list allows.
  private static func partial(_ entry: CatalogEntry) -> String {
    let words = entry.manifest?.options.selection.joined(separator: "; ") ?? ""
    guard !words.isEmpty else { return "partial" }
    return "partial (\(words.count > 60 ? words.prefix(57) + "..." : words))"
  }

  static func summary(_ entry: CatalogEntry) -> JSONValue {
    .object(summaryMembers(entry))
  }

  static func json(_ entry: CatalogEntry) -> JSONValue {
    var members = summaryMembers(entry)
    guard let manifest = entry.manifest else { return .object(members) }
    members += [
      .init("tool_version", .string(manifest.tool)),
      .init("system_identifier", JSONValue(manifest.server.systemIdentifier)),
      .init("encoding", .string(manifest.properties.encoding)),
      .init("owner", .string(manifest.properties.owner)),
      .init("sha256", .string(manifest.object.sha256)),
      .init("sequences", .integer(manifest.sequences)),
      .init("large_objects", .integer(manifest.largeObjects)),
      .init(
        "table_list",
        .array(
          manifest.tables.map { table in
            [
              "schema": .string(table.schema), "name": .string(table.name),
              "rows": .integer(table.rows), "hash": .string(table.hash),
              "bytes": .integer(table.bytes),
            ]
          })),
    ]
    return .object(members)
  }

  private static func summaryMembers(_ entry: CatalogEntry) -> [JSONValue.Member] {
    let manifest = entry.manifest
    var members: [JSONValue.Member] = [
      .init("id", .string(entry.id.description)),
      .init("database", .string(entry.database)),
      .init("environment", .string(entry.names.environment)),
      .init("time", .string(entry.id.time.description)),
      .init("state", .string(stateWord(entry))),
      .init("problem", JSONValue(entry.problem)),
      .init("bytes", .integer(entry.bytes)),
      .init("key", JSONValue(entry.dataKey)),
      .init("tables", JSONValue(manifest?.tables.count)),
      .init("rows", JSONValue(manifest?.rows)),
      .init("encryption", JSONValue(manifest?.object.encryption)),
      .init("compression", JSONValue(manifest?.object.compression)),
      .init("server_version", JSONValue(manifest?.server.version)),
      .init("migration", JSONValue(manifest?.migration)),
      .init("selection", .array((manifest?.options.selection ?? []).map { .string($0) })),
    ]
    let verification: JSONValue =
      entry.newestProof.map { proof in
        [
          "time": .string(proof.time.description), "kind": .string(proof.kind.rawValue),
          "passed": .bool(proof.passed),
          "findings": .array(proof.findings.map { .string($0) }),
        ]
      } ?? .null
    members.append(.init("verification", verification))
    return members
  }

  private static func stateWord(_ entry: CatalogEntry) -> String {
    switch entry.state {
    case .complete: entry.isWhole ? "complete" : "partial"
    case .incomplete: "incomplete"
    case .newerFormat: "newer_format"
    case .unreadable: "unreadable"
    }
  }

  static func text(_ entry: CatalogEntry, now: UTCTime = .now()) -> String {
    var facts: [(String, String)] = [
      ("backup", entry.id.description), ("database", entry.database),
      ("environment", entry.names.environment),
      ("taken", "\(entry.id.time) (\(Humane.ago(entry.id.time, now: now)))"),
      ("state", state(entry, now)), ("size", Humane.size(entry.bytes)),
    ]
    if let key = entry.dataKey { facts.append(("object", key)) }
    guard let manifest = entry.manifest else { return lines(facts) }
    let took = Duration.milliseconds(
      manifest.finished.milliseconds - manifest.started.milliseconds)
    facts += [
      ("took", Humane.duration(took)), ("server", "PostgreSQL \(manifest.server.version)"),
      ("encoding", "\(manifest.properties.encoding), locale \(manifest.properties.collate)"),
      ("owner", manifest.properties.owner), ("sha256", manifest.object.sha256),
      (
        "contents",
        [
          Humane.plural(manifest.tables.count, "table"), Humane.plural(manifest.rows, "row"),
          Humane.plural(manifest.sequences, "sequence"),
          Humane.plural(manifest.largeObjects, "large object"),
        ].joined(separator: ", ")
      ),
    ]
    if let migration = manifest.migration { facts.append(("migration", migration)) }
    for choice in manifest.options.selection { facts.append(("selection", choice)) }
    var table = TextTable(["TABLE", .number("ROWS"), .number("TEXT"), "HASH"])
    for one in manifest.tables {
      table.add([
        "\(one.schema).\(one.name)", Humane.count(one.rows), Humane.size(one.bytes), one.hash,
      ])
    }
    return lines(facts) + (table.isEmpty ? "" : "\n" + table.text)
  }

  private static func lines(_ facts: [(String, String)]) -> String {
    facts.map { name, value in
      name + String(repeating: " ", count: max(1, 13 - name.count)) + value + "\n"
    }.joined()
  }
}
