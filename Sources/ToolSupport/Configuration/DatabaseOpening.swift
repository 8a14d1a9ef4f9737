public import Postgres

extension Run {
  /// The database that `--database-url` or `DATABASE_URL` names.
  public func database(_ options: DatabaseOptions) throws -> ConnectionTarget {
    try configuration.database(flag: options.databaseUrl)
  }

  /// The database that `--to` or `RESTORE_URL` names.
  public func restoreTarget(flag: String?) throws -> ConnectionTarget {
    try configuration.restoreTarget(flag: flag)
  }
}
