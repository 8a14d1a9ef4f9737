import Glibc
import ObjectStore
import PhysicalBackup
import ToolSupport

/// Base backups, and what can be reached from them.
enum PhysicalRendering {
  static func json(_ manifest: BaseManifest, _ drill: DrillHistory? = nil) -> JSONValue {
    [
      "id": .string("\(manifest.id)"),
      "parent": JSONValue(manifest.parent.map { "\($0)" }),
      "system_identifier": .string(manifest.server.systemIdentifier),
      "server_version": .string(manifest.server.version),
      "timeline": .integer(Int(manifest.timeline)),
      "start": .string(manifest.start),
      "end": .string(manifest.end),
      "size": .integer(manifest.size),
      "plain_size": .integer(manifest.plainSize),
      "includes_wal": .bool(manifest.includesWAL),
      "encryption": JSONValue(manifest.encryption),
      "tablespaces": .array(manifest.tablespaces.map { .string($0.location) }),
      "started": .string("\(manifest.started)"),
      "finished": .string("\(manifest.finished)"),
      "last_drill": JSONValue(drill.map { "\($0.last.time)" }),
      "last_drill_passed": drill.map { .bool($0.last.passed) } ?? .null,
      "last_passed_drill": JSONValue(drill?.lastPassed.map { "\($0)" }),
    ]
  }

  /// The second half of `backup list`; empty without base backups and WAL.
  static func text(_ clusters: [PhysicalCatalog], now: UTCTime = .now()) -> String {
    clusters.map { catalog in
      var text = "\nCluster \(catalog.layout.systemIdentifier), "
      text += "\(Humane.size(catalog.wal?.size ?? 0)) of WAL\n"
      let parents = catalog.bases.contains { $0.parent != nil } ? ["CHANGES SINCE"] : []
      let drills = catalog.drills.isEmpty ? [] : ["DRILL"]
      var bases = TextTable(
        ["BASE BACKUP", "TAKEN", .number("TIMELINE"), .number("SIZE"), "START", "END"]
          + (drills + parents).map { TextTable.Column(stringLiteral: $0) })
      for base in catalog.bases {
        bases.add(
          [
            "\(base.id)", Humane.ago(base.finished, now: now), "\(base.timeline)",
            Humane.size(base.size), base.start, base.end,
          ] + drills.map { _ in Self.drill(catalog.drills[base.id], now) }
            + parents.map { _ in base.parent.map { "\($0)" } ?? "-" })
      }
      text += bases.isEmpty ? "no base backups: no moment can be restored\n" : bases.text
      text += ranges(catalog.coverage(), catalog.gaps())
      for problem in catalog.problems { text += red("  NOT USABLE: \(problem)") + "\n" }
      return text
    }.joined()
  }

  private static func drill(_ history: DrillHistory?, _ now: UTCTime) -> String {
    guard let history else { return "-" }
    let last = Humane.ago(history.last.time, now: now)
    guard !history.last.passed else { return "passed \(last)" }
    let passed = history.lastPassed.map { ", passed \(Humane.ago($0, now: now))" } ?? ""
    return red("FAILED \(last)") + passed
  }

  static func ranges(_ ranges: [RecoveryRange], _ gaps: [WALGap]) -> String {
    var text = ranges.isEmpty ? "" : "every moment can be restored on\n"
    for range in ranges { text += "  \(range)\n" }
    for gap in gaps { text += red("  GAP: \(gap)") + "\n" }
    return text
  }

  /// Red where a terminal shows it and nobody has asked for none (no-color.org).
  private static func red(_ text: String) -> String {
    guard isatty(STDOUT_FILENO) == 1, getenv("NO_COLOR") == nil else { return text }
    return "\u{1B}[31m\(text)\u{1B}[0m"
  }

  static func json(_ clusters: [PhysicalCatalog]) -> JSONValue {
    .array(
      clusters.map { catalog in
        [
          "system_identifier": .string(catalog.layout.systemIdentifier),
          "wal_bytes": .integer(catalog.wal?.size ?? 0),
          "bases": .array(catalog.bases.map { json($0, catalog.drills[$0.id]) }),
          "ranges": .array(
            catalog.coverage().map { range in
              [
                "timeline": .integer(Int(range.timeline)), "base": .string("\(range.base)"),
                "start": .string("\(range.start)"), "end": .string("\(range.end)"),
                "start_time": JSONValue(range.startTime.map { RecoveryTime.text($0) }),
                "end_time": JSONValue(range.endTime.map { RecoveryTime.text($0) }),
              ]
            }),
          "gaps": .array(
            catalog.gaps().map { gap in
              [
                "timeline": .integer(Int(gap.timeline)), "start": .string("\(gap.start)"),
                "end": .string("\(gap.end)"),
              ]
            }),
          "problems": .array(catalog.problems.map { .string($0) }),
        ]
      })
  }
}
