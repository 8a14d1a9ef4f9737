import Postgres

/// What one statement did to one relation that was there before its migration.
struct StatementImpact: Hashable {
  /// `public.orders`
  var relation: String
  var isIndex: Bool
  /// The strongest lock that the statement added, as `pg_locks` names it.
  var lock: String?
  var isRewritten = false
  var isScanned = false
  var isGone = false
  /// Columns that are no longer there.
  var lostColumns: [String] = []
  /// An index that was built on it.
  var newIndexes: [String] = []
}

/// Looks at the catalogs and locks after each statement, inside its transaction.
protocol StatementObserver: AnyObject {
  func after(_ statement: ScriptStatement, _ work: Connection) throws
}
