import Postgres

/// A row that is about to be added to the history.
struct NewHistoryRow {
  var kind = HistoryEntry.Kind.versioned
  var version: MigrationVersion?
  var name: String
  var direction: Direction
  var outcome: HistoryEntry.Outcome
  var attempt: Int?
  var undoes: Int?
  var upChecksum: String?
  var downChecksum: String?
  var upText: SQLText?
  var downText: SQLText?
  var statements: Int?
  var error: String?
  var host: String
  var toolVersion: String
  var durationMilliseconds: Int?
  /// A JSON object.
  var details: SQLText?

  /// In the order of the columns, behind the scope.
  var values: [SQLText?] {
    func number(_ value: Int?) -> SQLText? { value.map { SQLText("\($0)") } }
    func text(_ value: String?) -> SQLText? { value.map { SQLText($0) } }
    return [
      SQLText(kind.rawValue), text(version?.text), SQLText(name), SQLText(direction.rawValue),
      SQLText(outcome.rawValue), number(attempt), number(undoes), text(upChecksum),
      text(downChecksum), upText, downText, number(statements), text(error), SQLText(host),
      SQLText(toolVersion), number(durationMilliseconds), details,
    ]
  }
}
