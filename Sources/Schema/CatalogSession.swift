import ByteStream
import Postgres

/// Asks the catalogs over one connection, in its current transaction.
struct CatalogSession {
  let connection: Connection
  let cancellation: Cancellation

  /// The server's major version.
  var version: Int { connection.majorVersion }

  /// Runs a query and makes something of each row.
  func rows<Element>(
    _ sql: SQLText, _ make: (inout CatalogRow) throws -> Element
  ) throws -> [Element] {
    try cancellation.check()
    let result = try connection.query(sql)
    var elements: [Element] = []
    elements.reserveCapacity(result.rowCount)
    for number in 0..<result.rowCount {
      var row = CatalogRow(result, number)
      elements.append(try make(&row))
    }
    return elements
  }

  /// Runs a query and hands over each row.
  func forEach(_ sql: SQLText, _ body: (inout CatalogRow) throws -> Void) throws {
    try cancellation.check()
    let result = try connection.query(sql)
    for number in 0..<result.rowCount {
      var row = CatalogRow(result, number)
      try body(&row)
    }
  }

  /// `newer` on servers of `version` and later, `older` before.
  func since(_ version: Int, _ newer: SQLText, else older: SQLText) -> SQLText {
    self.version >= version ? newer : older
  }

  /// A condition: the object is in no extension. Members are few, and found by the extension: one
  /// look for the whole query, and none for each row.
  func isFree(_ catalog: Catalog, _ oid: SQLText) -> SQLText {
    """
    \(oid) NOT IN (SELECT membership.objid FROM pg_catalog.pg_depend membership
      WHERE membership.refclassid = \(Catalog.extension.rawValue) AND membership.deptype = 'e'
        AND membership.classid = \(catalog.rawValue) AND membership.objsubid = 0)
    """
  }

  /// A condition: the schema, by its row in `pg_namespace`, is the user's.
  func isUserSchema(_ namespace: SQLText = "n") -> SQLText {
    """
    \(namespace).nspname <> 'information_schema' AND \(namespace).nspname !~ '^pg_'
    """
  }
}
