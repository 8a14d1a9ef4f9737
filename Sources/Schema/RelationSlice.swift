import Postgres

/// A share of all relations, by their OIDs, so that several connections can read them at once and
/// none looks at another's rows.
struct RelationSlice: Sendable {
  /// The first OID of the slice; nil without a bound.
  private var first: UInt32?
  /// The first OID after the slice; nil without a bound.
  private var end: UInt32?

  static let all = RelationSlice(first: nil, end: nil)

  /// Slices with about as many relations each.
  static func read(_ session: CatalogSession, count: Int) throws -> [RelationSlice] {
    guard count > 1 else { return [.all] }
    let shares = (1..<count).map { SQLText(String(Double($0) / Double(count))) }
      .joined(separator: ", ")
    let bounds = try session.rows(
      """
      SELECT pg_catalog.unnest(pg_catalog.percentile_disc(ARRAY[\(shares)]::pg_catalog.float8[])
        WITHIN GROUP (ORDER BY c.oid))
      FROM pg_catalog.pg_class c
      WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.oid >= \(CatalogSession.firstUserOID)
      """
    ) { row in row.oid() }
    // None where there is no relation: the aggregate is NULL then.
    return zip([nil] + bounds, bounds + [nil]).map { RelationSlice(first: $0, end: $1) }
  }

  /// A condition on the column that holds a relation's OID.
  func holds(_ column: SQLText) -> SQLText {
    switch (first, end) {
    case (nil, nil): "true"
    case (let first?, nil): "\(column) >= \(first)"
    case (nil, let end?): "\(column) < \(end)"
    case (let first?, let end?): "\(column) >= \(first) AND \(column) < \(end)"
    }
  }
}
