import Postgres

/// A statement that was begun outside of a transaction, by a run that never said how it ended.
struct UncertainStatement {
  enum Outcome {
    case tookEffect, toRunAgain
  }

  private let statement: SQLStatement

  init(_ statement: SQLStatement) { self.statement = statement }

  /// Finds out from the catalogs. The session that ran it must have ended.
  ///
  /// - Throws: ``MigrationsError/Code/unfinished`` when only a person can know.
  func outcome(_ connection: Connection) throws -> Outcome {
    if let index = ConcurrentIndex(statement) {
      return try index.isValid(connection) == true ? .tookEffect : .toRunAgain
    }
    var names = SQLNames(statement)
    if names.skip("drop", "index", "concurrently") {
      _ = names.skip("if", "exists")
      guard let name = names.name() else { return .toRunAgain }
      let found = try connection.query("SELECT pg_catalog.to_regclass($1)", [name])
      return found.isNull(0, 0) ? .tookEffect : .toRunAgain
    }
    names = SQLNames(statement)
    // Running these twice does what running them once does.
    for word in ["vacuum", "reindex", "analyze", "cluster", "checkpoint"] where names.skip(word) {
      return .toRunAgain
    }
    if names.skip("alter", "system") { return .toRunAgain }
    if names.skip("alter", "table") {
      if let outcome = try detachment(&names, connection) { return outcome }
    }
    names = SQLNames(statement)
    if names.skip("create", "database") || names.skip("drop", "database") {
      let isCreation = statement.words.first == "create"
      _ = names.skip("if", "exists")
      if let name = names.name() {
        let found = try connection.query(
          """
          SELECT FROM pg_catalog.pg_database
          WHERE datname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident($1))[1]
          """, [name])
        return (found.rowCount == 1) == isCreation ? .tookEffect : .toRunAgain
      }
    }
    throw MigrationsError(
      .unfinished,
      "An earlier run was cut off while this statement ran outside of a transaction, and nothing "
        + "in the catalogs tells whether it took effect. Look at the data, then say what is true: "
        + "migrate repair VERSION --applied or --reverted.")
  }

  /// `ALTER TABLE parent DETACH PARTITION child CONCURRENTLY`: one that was cut off in the middle
  /// has to be completed with FINALIZE.
  private func detachment(_ names: inout SQLNames, _ connection: Connection) throws -> Outcome? {
    _ = names.skip("if", "exists")
    guard let parent = names.name(), names.skip("detach", "partition"), let child = names.name()
    else { return nil }
    let result = try connection.query(
      """
      SELECT i.inhdetachpending FROM pg_catalog.pg_inherits i
      WHERE i.inhparent OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
        AND i.inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2)
      """, [parent, child])
    if result.rowCount == 0 { return .tookEffect }
    guard result.bool(0, 0) else { return .toRunAgain }
    try connection.run("ALTER TABLE \(parent) DETACH PARTITION \(child) FINALIZE")
    return .tookEffect
  }
}
