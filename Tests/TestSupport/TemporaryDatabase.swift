/// A database of a temporary cluster, with a name that no other has.
public struct TemporaryDatabase: Sendable {
  /// Where it is.
  public let cluster: TemporaryCluster
  /// Its name.
  public let name: String

  /// A database that something else made.
  public init(cluster: TemporaryCluster, name: String) {
    self.cluster = cluster
    self.name = name
  }

  /// Its address over TCP, as superuser.
  public var url: String { cluster.url(name) }
  /// Its address over the Unix socket, as superuser.
  public var socketURL: String { cluster.socketURL(name) }

  /// Its address over TCP for another role.
  public func url(user: String, password: String? = nil) -> String {
    cluster.url(name, user: user, password: password)
  }

  /// Runs SQL in it. See `TemporaryCluster.psql`.
  @discardableResult
  public func psql(
    _ sql: String, user: String = "postgres", timeout: Duration = .seconds(120)
  ) throws -> String {
    try cluster.psql(sql, database: name, user: user, timeout: timeout)
  }

  /// What this version's `pg_dump` writes for it.
  public func dump(_ arguments: [String] = []) throws -> String {
    try cluster.check("pg_dump", arguments + ["-d", name]).text
  }

  /// Removes it, and ends whatever session is in it.
  public func drop() throws {
    try cluster.psql("DROP DATABASE IF EXISTS \(TemporaryDatabase.quoted(name)) WITH (FORCE)")
  }

  static func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}

extension TemporaryCluster {
  /// Makes a new database with a name of its own.
  ///
  /// - Parameters:
  ///   - named: what the name begins with; random letters follow.
  ///   - template: a database that nobody is connected to.
  ///   - encoding: such as `LATIN1` or `SQL_ASCII`; the cluster's (UTF8) when nil. Locale `C` goes
  ///     with it unless you give another.
  ///   - locale: both collation and character type; the cluster's (C.UTF-8) when nil.
  ///   - owner: a role; `postgres` when nil.
  ///   - more: anything else that CREATE DATABASE takes.
  public func createDatabase(
    named prefix: String = "test", template: String = "template0", encoding: String? = nil,
    locale: String? = nil, owner: String? = nil, more: String = ""
  ) throws -> TemporaryDatabase {
    let name = Self.uniqueName(prefix)
    var sql = "CREATE DATABASE \(TemporaryDatabase.quoted(name))"
    sql += " TEMPLATE \(TemporaryDatabase.quoted(template))"
    if let encoding { sql += " ENCODING '\(encoding)'" }
    if let locale = locale ?? (encoding == nil ? nil : "C") { sql += " LOCALE '\(locale)'" }
    if let owner { sql += " OWNER \(TemporaryDatabase.quoted(owner))" }
    try psql(sql + " " + more)
    return TemporaryDatabase(cluster: self, name: name)
  }

  /// A name that begins with `prefix` and that nothing else has: for roles and databases that a test
  /// makes in a shared cluster.
  public static func uniqueName(_ prefix: String) -> String {
    prefix + "_" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
  }
}
