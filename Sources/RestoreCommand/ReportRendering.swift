import LogicalBackup
import ToolSupport

/// What a restore says at its end.
enum ReportRendering {
  static func text(_ report: RestoreReport, source: String, target: String) -> String {
    var text = ""
    if report.isVerified {
      var table = TextTable(["TABLE", .number("ROWS"), "HASH", "PROOF"])
      for one in report.tables {
        table.add([
          "\(one.name)", Humane.count(one.rows), one.hash.map(hex) ?? "",
          one.hash == nil ? "" : "same as backed up",
        ])
      }
      text += table.text + "\n"
    }
    let rows = Humane.plural(report.rows, "row")
    let tables = Humane.plural(report.tables.count, "table")
    text += "Restored \(source)\n"
    text += "into \(target): \(rows) in \(tables)"
    if report.bytes > 0 { text += ", from \(Humane.size(report.bytes))" }
    text += report.isVerified ? ", all verified" : ""
    text += ", in \(Humane.duration(report.time)).\n"
    let slow = report.phases.filter { $0.time >= .milliseconds(50) }
    if slow.count > 1 {
      text +=
        "Time: "
        + slow.map { "\($0.phase.rawValue) \(Humane.duration($0.time))" }.joined(separator: ", ")
        + ".\n"
    }
    for skipped in report.skipped.prefix(20) { text += "Left out: \(skipped)\n" }
    if report.skipped.count > 20 {
      text += "Left out: \(report.skipped.count - 20) more; --json lists them.\n"
    }
    for note in report.notes { text += "Note: \(note)\n" }
    return text
  }

  static func json(_ report: RestoreReport, source: String, target: String) -> JSONValue {
    [
      "source": .string(source),
      "target": .string(target),
      "database": .string(report.database),
      "backup": JSONValue(report.facts?.id),
      "rows": .integer(report.rows),
      "bytes": .integer(report.bytes),
      "statements": .integer(report.statements),
      "large_objects": .integer(report.largeObjects),
      "verified": .bool(report.isVerified),
      "duration_ms": .integer(Int(report.time / .milliseconds(1))),
      "phases": .array(
        report.phases.map { phase in
          [
            "phase": .string(phase.phase.rawValue),
            "duration_ms": .integer(Int(phase.time / .milliseconds(1))),
          ]
        }),
      "tables": .array(
        report.tables.map { table in
          [
            "name": .string("\(table.name)"), "rows": .integer(table.rows),
            "hash": JSONValue(table.hash.map(hex)),
          ]
        }),
      "skipped": .array(report.skipped.map { .string($0) }),
      "notes": .array(report.notes.map { .string($0) }),
    ]
  }

  /// The facts for logs and metrics.
  static func note(_ report: RestoreReport, _ run: Run) {
    run.note("bytes", .integer(report.bytes))
    run.note("rows", .integer(report.rows))
    run.note("tables", .integer(report.tables.count))
    run.note("verified", .bool(report.isVerified))
  }

  private static func hex(_ hash: UInt64) -> String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
