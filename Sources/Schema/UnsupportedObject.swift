public import Postgres

/// Something in the catalogs that no statement expresses.
public struct UnsupportedObject: Sendable, Hashable {
  /// The kind, in words.
  public var what: String
  public var name: SQLText

  public init(what: String, name: SQLText) {
    self.what = what
    self.name = name
  }
}
