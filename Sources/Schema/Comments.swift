import Postgres

/// `COMMENT ON` and `SECURITY LABEL ON`, for objects and their columns.
struct Comments: Sendable {
  struct Label: Sendable {
    var provider: SQLText
    var text: SQLText
  }

  private(set) var comments: [ObjectIdentity: [(column: Int32, text: SQLText)]] = [:]
  private(set) var labels: [ObjectIdentity: [(column: Int32, label: Label)]] = [:]

  mutating func merge(_ other: Comments) {
    comments.merge(other.comments) { first, _ in first }
    labels.merge(other.labels) { first, _ in first }
  }

  static func read(_ session: CatalogSession) throws -> KindContents {
    var all = Comments()
    // What initdb made has comments too; of those only a changed one on a schema matters.
    try session.forEach(
      """
      SELECT d.classoid, d.objoid, d.objsubid, d.description FROM pg_catalog.pg_description d
      WHERE d.objoid >= \(CatalogSession.firstUserOID)
        OR d.classoid = \(Catalog.schema.rawValue) AND d.description <> 'standard public schema'
          AND d.objoid IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_')
      ORDER BY d.classoid, d.objoid, d.objsubid
      """
    ) { row in
      let identity = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
      all.comments[identity, default: []].append((Int32(row.int()), row.text()))
    }
    try session.forEach(
      """
      SELECT l.classoid, l.objoid, l.objsubid, l.provider, l.label FROM pg_catalog.pg_seclabel l
      WHERE l.objoid >= \(CatalogSession.firstUserOID)
        OR l.classoid = \(Catalog.schema.rawValue)
      ORDER BY l.classoid, l.objoid, l.objsubid, l.provider COLLATE "C"
      """
    ) { row in
      let identity = ObjectIdentity(Catalog(rawValue: row.oid()), row.oid())
      all.labels[identity, default: []].append(
        (Int32(row.int()), Label(provider: row.text(), text: row.text())))
    }
    return KindContents(comments: all)
  }

  var isEmpty: Bool { comments.isEmpty && labels.isEmpty }

  /// Everything that has a comment or a label.
  var targets: [ObjectIdentity] {
    let withColumns =
      comments.flatMap { object, list in
        list.map { ObjectIdentity(object.catalog, object.oid, column: $0.column) }
      }
      + labels.flatMap { object, list in
        list.map { ObjectIdentity(object.catalog, object.oid, column: $0.column) }
      }
    return Array(Set(withColumns))
  }

  /// - Parameters:
  ///   - target: what stands after `ON`.
  ///   - column: what stands after `ON` for a column; nil for one that is not there.
  func sql(
    on identity: ObjectIdentity, target: SQLText, column: (Int32) -> SQLText? = { _ in nil }
  ) -> SQLText {
    var sql = SQLText()
    for (number, text) in comments[identity] ?? [] {
      guard let target = number == 0 ? target : column(number) else { continue }
      sql += "COMMENT ON \(target) IS \(text.quotedLiteral);\n"
    }
    for (number, label) in labels[identity] ?? [] {
      guard let target = number == 0 ? target : column(number) else { continue }
      sql += """
        SECURITY LABEL FOR \(label.provider.quotedIdentifier) ON \(target) \
        IS \(label.text.quotedLiteral);

        """
    }
    return sql
  }
}
