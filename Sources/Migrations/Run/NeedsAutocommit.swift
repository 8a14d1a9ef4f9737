import Postgres

/// Statements that PostgreSQL never runs in a transaction, so that trying is idle. Others say so
/// themselves, with SQLSTATE 25001 or 2D000.
enum NeedsAutocommit {
  static func isKnown(_ statement: SQLStatement) -> Bool {
    let words = statement.words
    switch words.first {
    case "vacuum": return true
    case "create", "drop", "reindex", "alter": return words.contains("concurrently")
    default: return false
    }
  }
}
