import Postgres

/// What one statement did to one relation: one that was there before its migration, or one that it
/// made.
struct StatementImpact: Hashable {
  /// `public.orders`
  var relation: String
  /// As in `pg_class`: `r`, `p`, `m`, `v`, `i` or `I`.
  var kind: Character
  /// Whether the statement made it.
  var isNew = false
  /// The strongest lock that the statement added, as `pg_locks` names it.
  var lock: String?
  var isRewritten = false
  var isScanned = false
  var isGone = false
  /// What it is called now, where that is something else.
  var newName: String?
  /// Columns that are no longer there.
  var lostColumns: [String] = []
  var newColumns: [ObservedColumn] = []
  /// Columns that may be null from now on.
  var nowNullable: [String] = []
  /// An index that was built on it.
  var newIndexes: [String] = []

  var isIndex: Bool { kind == "i" || kind == "I" }
}

/// Looks at the catalogs and locks after each statement, inside its transaction.
protocol StatementObserver: AnyObject {
  func after(_ statement: ScriptStatement, _ work: Connection) throws
}
