/// Which object of a database: the catalog that holds it, its OID there, and, for a column, its
/// number. It means something in one database only.
public struct ObjectIdentity: Hashable, Sendable {
  public var catalog: Catalog
  public var oid: UInt32
  /// The column's number, 0 for the object itself.
  public var column: Int32

  public init(_ catalog: Catalog, _ oid: UInt32, column: Int32 = 0) {
    self.catalog = catalog
    self.oid = oid
    self.column = column
  }

  /// One number for the hasher, since readers look up hundreds of thousands of identities.
  public func hash(into hasher: inout Hasher) {
    let column = UInt64(UInt32(bitPattern: self.column)) << 48
    hasher.combine((UInt64(catalog.rawValue) << 32 | UInt64(oid)) ^ column)
  }

  /// The object that a column belongs to.
  public var whole: ObjectIdentity { ObjectIdentity(catalog, oid) }
}

extension ObjectIdentity: Comparable {
  public static func < (left: ObjectIdentity, right: ObjectIdentity) -> Bool {
    (left.catalog.rawValue, left.oid, left.column)
      < (right.catalog.rawValue, right.oid, right.column)
  }
}
