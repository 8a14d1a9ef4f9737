/// How a restore is done.
public struct RestoreOptions: Sendable {
  public var mode = RestoreMode.new
  /// Connections that work at the same time; at least 1.
  public var jobs = 4
  /// Collect the planner's statistics at the end.
  public var analyzes = true
  /// Count and hash the restored rows, and compare with the backup.
  public var verifies = false
  /// Leave out who owns what: all belongs to the restoring role.
  public var omitsOwners = false
  /// Leave out grants and default privileges.
  public var omitsPrivileges = false
  /// Leave out rows, large objects and sequences' values.
  public var omitsData = false
  /// Leave out the schema: the database exists and has the backup's tables, empty, which are
  /// filled in one transaction on one connection. ``mode`` must be ``RestoreMode/new`` then.
  public var omitsSchema = false
  /// Only these tables and views, by patterns as psql's `\d` takes them (`orders`, `sales.*`), with
  /// what belongs to them; empty for all. A partitioned table brings its partitions. Types,
  /// functions, sequences and the like are made as well; large objects are not.
  public var tables: [String] = []
  /// Only tables and views in these schemas, by patterns; empty for all.
  public var schemas: [String] = []
  /// Let a backup of a part of a database take the place of a whole one (``RestoreMode/replace``).
  public var acceptsPartial = false
  /// Try once more, with a `search_path` of the object's schema, those of extensions and `public`,
  /// what comes after the rows and failed since a function found something missing. Functions that
  /// anybody has put into those schemas may then be called by the restoring role.
  public var retriesSearchPath = false
  /// The new database's locale, in place of the backup's.
  public var locale: DatabaseTraits.Locale?
  /// Called from several threads, not at the same time, at most a few times a second.
  public var onProgress: @Sendable (RestoreProgress) -> Void = { _ in }

  public init() {}
}
