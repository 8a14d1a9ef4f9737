import Migrations
import ToolSupport

extension HistoryEntry {
  var json: JSONValue {
    [
      "id": .integer(id), "kind": .string(kind.rawValue), "version": JSONValue(version?.text),
      "name": .string(name), "direction": .string(direction.rawValue),
      "outcome": .string(outcome.rawValue), "undoes": JSONValue(undoes),
      "up_sha256": JSONValue(upChecksum), "down_sha256": JSONValue(downChecksum),
      "statements": JSONValue(statements), "error": JSONValue(error), "role": .string(role),
      "host": .string(host), "tool_version": .string(toolVersion),
      "duration_ms": JSONValue(durationMilliseconds), "at": .string(recordedAt),
    ]
  }

  /// `2026-11-22 09:30:00Z`
  var shownTime: String {
    // ASCII: by bytes, which takes a tenth of the time of characters.
    let text = recordedAt.utf8
    let (date, time) = (text.prefix(10), text.dropFirst(11).prefix(8))
    return "\(Substring(date)) \(Substring(time))Z"
  }
}

extension [HistoryEntry] {
  var text: String {
    guard !isEmpty else { return "The history is empty.\n" }
    var table = TextTable([
      "WHEN", "DIRECTION", "MIGRATION", "OUTCOME", .number("MS"), "ROLE", "HOST", "VERSION",
    ])
    // An attempt that has ended is told by its end.
    let ended = Set(compactMap(\.attempt))
    for entry in self where !ended.contains(entry.id) {
      table.add([
        entry.shownTime, entry.direction.rawValue, entry.title, entry.outcome.rawValue,
        entry.durationMilliseconds.map(String.init) ?? "", entry.role, entry.host,
        entry.toolVersion,
      ])
    }
    return table.text
  }
}

extension MigrationStatus {
  var json: JSONValue {
    [
      "current": JSONValue(current?.version?.text),
      "migrations": .array(
        lines.map { line in
          [
            "state": .string(line.state.rawValue), "version": JSONValue(line.version?.text),
            "name": .string(line.name), "applied_at": JSONValue(line.entry?.recordedAt),
            "out_of_order": .bool(line.isOutOfOrder),
          ]
        }),
    ]
  }

  var text: String {
    var table = TextTable(["STATE", "MIGRATION", "APPLIED", ""])
    for line in lines {
      let note = line.isOutOfOrder ? "older than the newest applied" : ""
      table.add([line.state.rawValue, line.title, line.entry?.shownTime ?? "", note])
    }
    let counts = [State.applied, .pending, .changed, .missing, .unfinished].compactMap { state in
      count(state) > 0 ? "\(count(state)) \(state.rawValue)" : nil
    }
    guard !counts.isEmpty else { return "There are no migrations.\n" }
    return table.text + counts.joined(separator: ", ") + "\n"
  }
}
