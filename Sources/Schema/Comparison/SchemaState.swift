import Crypto
public import Postgres

/// What a schema is made of, for comparing and for keeping: each object with the statements that
/// make it.
///
/// Two states are compared up to OIDs, dropped attributes and the order of columns.
public struct SchemaState: Sendable {
  /// What an object is called.
  public struct Key: Hashable, Sendable {
    public var kind: ObjectKind
    public var schema: SQLText?
    public var name: SQLText

    public init(kind: ObjectKind, schema: SQLText?, name: SQLText) {
      self.kind = kind
      self.schema = schema
      self.name = name
    }

    /// `table public.orders`
    public var words: String {
      let qualified = schema.map { "\($0).\(name)" } ?? name.string
      return "\(kind.label.lowercased()) \(qualified)"
    }
  }

  public struct Object: Hashable, Sendable {
    public var key: Key
    /// Whole statements, each ending in `;` and a newline.
    public var sql: SQLText

    public init(key: Key, sql: SQLText) {
      self.key = key
      self.sql = sql
    }
  }

  /// In an order that runs.
  public let objects: [Object]
  private let positions: [Key: Int]

  public init(objects: [Object]) {
    var merged: [Object] = []
    var positions: [Key: Int] = [:]
    for object in objects {
      if let position = positions[object.key] {
        merged[position].sql += object.sql
      } else {
        positions[object.key] = merged.count
        merged.append(object)
      }
    }
    self.objects = merged
    self.positions = positions
  }

  /// The state that a catalog describes, with owners and privileges. Whether materialized views
  /// hold rows is not part of it.
  public init(_ catalog: SchemaCatalog) {
    let script = catalog.script()
    self.init(
      objects: (script.preData + script.postData).filter { $0.kind != .materializedViewRefresh }
        .map {
          Object(key: Key(kind: $0.kind, schema: $0.schema, name: $0.name), sql: $0.sql)
        })
  }

  public subscript(_ key: Key) -> Object? { positions[key].map { objects[$0] } }

  /// - Throws: `CryptoError`, where libcrypto has no SHA-256.
  public func fingerprint() throws -> SchemaFingerprint {
    let digest = try Digest(.sha256)
    func add(_ text: SQLText) throws {
      try digest.update(Array("\(text.bytes.count) ".utf8) + text.bytes)
    }
    func place(_ object: Object) -> (ObjectKind, SQLText, SQLText) {
      (object.key.kind, object.key.schema ?? SQLText(), object.key.name)
    }
    for object in objects.sorted(by: { place($0) < place($1) }) {
      try add(SQLText(object.key.kind.caseName))
      try add(object.key.schema ?? "")
      try add(object.key.name)
      for part in object.parts.comparable { try add(part) }
    }
    return SchemaFingerprint(hex: Hex.encode(try digest.finish()))
  }
}

extension ObjectKind {
  private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ("\($0)", $0) })

  /// The kind whose case has that name: how kinds are stored.
  public init?(caseName: String) {
    guard let kind = Self.byName[caseName] else { return nil }
    self = kind
  }

  public var caseName: String { "\(self)" }
}
