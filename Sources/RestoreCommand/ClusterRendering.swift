import PhysicalBackup
import Postgres
import ToolSupport

/// What can be reached and what was done, as text and JSON.
enum ClusterRendering {
  static func text(_ catalog: PhysicalCatalog) -> String {
    var text = "cluster \(catalog.layout.systemIdentifier)\n"
    var bases = TextTable(["base backup", "timeline", "start", "end", .number("size"), "finished"])
    for base in catalog.bases {
      bases.add([
        "\(base.id)", "\(base.timeline)", base.start, base.end, Humane.size(base.size),
        "\(base.finished)",
      ])
    }
    text += bases.isEmpty ? "no base backups\n" : bases.text
    let ranges = catalog.coverage()
    text += ranges.isEmpty ? "no moment can be reached\n" : "every moment can be reached in\n"
    for range in ranges { text += "  \(range)\n" }
    let named = catalog.points.flatMap(\.named)
    if !named.isEmpty { text += "named points\n" }
    for point in named.suffix(50) {
      let time = point.serverTime.map { "  " + RecoveryTime.text($0) } ?? ""
      text += "  \(point.name) \(point.content ?? "")  \(point.position)\(time)\n"
    }
    return text
  }

  static func json(_ catalog: PhysicalCatalog) -> JSONValue {
    [
      "system_identifier": .string(catalog.layout.systemIdentifier),
      "bases": .array(
        catalog.bases.map { base in
          [
            "id": .string("\(base.id)"), "timeline": .integer(Int(base.timeline)),
            "start": .string(base.start), "end": .string(base.end), "size": .integer(base.size),
            "finished": .string("\(base.finished)"),
          ]
        }),
      "ranges": .array(
        catalog.coverage().map { range in
          [
            "timeline": .integer(Int(range.timeline)), "base": .string("\(range.base)"),
            "start": .string("\(range.start)"), "end": .string("\(range.end)"),
            "start_time": JSONValue(range.startTime.map { RecoveryTime.text($0) }),
            "end_time": JSONValue(range.endTime.map { RecoveryTime.text($0) }),
          ]
        }),
      "points": .array(
        catalog.points.flatMap(\.named).map { point in
          [
            "kind": .string(point.kind.rawValue), "name": .string(point.name),
            "content": JSONValue(point.content), "position": .string(point.position),
            "time": JSONValue(point.serverTime.map { RecoveryTime.text($0) }),
          ]
        }),
    ]
  }

  static func text(
    _ report: ClusterRestore.Report, _ outcome: RecoveryServer.Outcome?, _ taken: Duration,
    directory: String
  ) -> String {
    var text =
      "restored \(Humane.plural(report.files, "file")), \(Humane.size(report.bytes)), into "
      + "\(directory); each is what the server had sent\n"
    if let delta = report.delta {
      text +=
        "  kept \(Humane.plural(delta.keptFiles, "file")), \(Humane.size(delta.keptBytes)), that "
        + "were the same; wrote \(Humane.size(delta.rewrittenBytes)), for which "
        + "\(Humane.size(report.fetchedBytes)) were fetched; removed "
        + "\(Humane.plural(delta.removedFiles, "file")) that the backup does not have\n"
    }
    for phase in report.phases {
      text += "  \(phase.name): \(Humane.duration(.milliseconds(Int(phase.seconds * 1000))))\n"
    }
    if let outcome {
      text +=
        "  recovery: \(Humane.duration(taken))\nthe server runs; its state: \(outcome.state)\n"
      for message in outcome.messages { text += "  \(message)\n" }
    } else {
      text += "start the server on it to recover to \(report.plan.target)\n"
    }
    return text
  }

  private static func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  /// What is to be done about collations; the query where nobody was asked.
  static func text(_ collations: [CollationCheck.AffectedIndex]?) -> String {
    guard let collations else {
      return """
        collation versions were not compared: indexes on text may be in another order than this
        machine's. In each database this lists them, for REINDEX INDEX CONCURRENTLY:
        \(CollationCheck.query);

        """
    }
    guard !collations.isEmpty else { return "collation versions are as they were\n" }
    var text = """
      WARNING: collations have another version here than when these indexes were built. Until they
      are built anew, queries may miss rows and unique ones may hold duplicates:

      """
    for (database, indexes) in Dictionary(grouping: collations, by: \.database)
      .sorted(by: { $0.key < $1.key })
    {
      text += "database \(database)\n"
      for index in indexes {
        text +=
          "  \(index.command)  -- \(index.collation): \(index.stored), here "
          + "\(index.actual ?? "none")\n"
      }
      for collation in Set(indexes.map(\.collation)).sorted() {
        text +=
          collation == "database default"
          ? "  then: ALTER DATABASE \(quoted(database)) REFRESH COLLATION VERSION;\n"
          : "  then: ALTER COLLATION \(collation) REFRESH VERSION;\n"
      }
    }
    return text
  }

  static func json(
    _ report: ClusterRestore.Report, _ outcome: RecoveryServer.Outcome?, _ taken: Duration,
    _ collations: [CollationCheck.AffectedIndex]?
  ) -> JSONValue {
    [
      "target": .string("\(report.plan.target)"),
      "base": .string("\(report.plan.base.id)"),
      "timeline": .integer(Int(report.plan.timeline)),
      "files": .integer(report.files),
      "bytes": .integer(report.bytes),
      "fetched_bytes": .integer(report.fetchedBytes),
      "delta": report.delta.map { delta in
        [
          "kept_files": .integer(delta.keptFiles), "kept_bytes": .integer(delta.keptBytes),
          "rewritten_bytes": .integer(delta.rewrittenBytes),
          "removed_files": .integer(delta.removedFiles),
        ]
      } ?? .null,
      "phases": .object(report.phases.map { .init($0.name, .number($0.seconds)) }),
      "remarks": .array(report.remarks.map { .string($0) }),
      "state": JSONValue(outcome?.state),
      "messages": .array((outcome?.messages ?? []).map { .string($0) }),
      "reindex": collations.map { indexes in
        .array(
          indexes.map { index in
            [
              "database": .string(index.database), "index": .string(index.index),
              "collation": .string(index.collation), "stored_version": .string(index.stored),
              "actual_version": JSONValue(index.actual),
            ]
          })
      } ?? .null,
      "recovery_seconds": outcome == nil ? .null : .number(taken / .seconds(1)),
    ]
  }
}
