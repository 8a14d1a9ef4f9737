import Migrations
import Postgres
import Schema
import ToolSupport

extension SchemaDrift {
  var json: JSONValue {
    [
      "since": JSONValue(since?.version?.text), "found": .bool(isFound),
      "unknown_because": JSONValue(unknownBecause),
      "differences": .array(
        (difference?.entries ?? []).map {
          ["change": .string($0.change.rawValue), "what": .string($0.what)]
        }),
      "sql": JSONValue(made?.text.string), "undo": JSONValue(undo?.text.string),
    ]
  }

  var text: String {
    if let unknownBecause { return "Not known whether anything was changed: \(unknownBecause).\n" }
    let place = since.map { "\($0.title) (\($0.shownTime))" } ?? "the last migration"
    guard isFound else { return "The database is what \(place) left.\n" }
    return "Since \(place):\n" + words.map { "  \($0)\n" }.joined()
  }

  /// Both ways, under headings.
  var script: String {
    "-- What was done by hand:\n\(made?.text.string ?? "")"
      + "\n-- What takes it back:\n\(undo?.text.string ?? "")"
  }

  /// Throws when the database differs, or nobody can tell.
  func check() throws {
    if let unknownBecause {
      throw ErrorReport(
        .failed, code: "driftUnknown", "Nothing to compare with: \(unknownBecause).")
    }
    guard isFound else { return }
    throw ErrorReport(
      .drift, code: "drift",
      "The database is not what the last migration left: \(words.count) "
        + (words.count == 1 ? "difference" : "differences"))
  }
}
