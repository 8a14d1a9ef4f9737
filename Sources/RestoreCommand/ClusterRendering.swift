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

  static func json(
    _ report: ClusterRestore.Report, _ outcome: RecoveryServer.Outcome?, _ taken: Duration
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
      "recovery_seconds": outcome == nil ? .null : .number(taken / .seconds(1)),
    ]
  }
}
