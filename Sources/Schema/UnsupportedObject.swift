public import Postgres

/// Something in the catalogs that no statement expresses.
public struct UnsupportedObject: Sendable, Hashable {
  /// The kind, in words.
  public var what: String
  public var name: SQLText
  /// nil for what lies in no schema.
  public var schema: SQLText?

  public init(what: String, name: SQLText, schema: SQLText? = nil) {
    self.what = what
    self.name = name
    self.schema = schema
  }
}
