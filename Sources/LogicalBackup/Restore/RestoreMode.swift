/// What a restore does about the database that it restores into.
public enum RestoreMode: String, Hashable, Sendable {
  /// The database must not exist. It is made under a temporary name and gets its own when whole.
  case new
  /// The backup is restored beside the existing database, which then steps aside under the name
  /// `NAME_before_TIME`. Without an existing one this is ``new``.
  case replace
  /// The database exists and is empty: for roles that may not create databases.
  case intoEmpty
  /// The database is made under a temporary name, and dropped when all was restored and compared.
  case scratch
}
