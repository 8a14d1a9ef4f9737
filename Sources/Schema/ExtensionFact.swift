public import Postgres

/// An extension that the database has, and so must the server that it is restored to.
public struct ExtensionFact: Sendable, Hashable {
  public var name: SQLText
  public var version: SQLText
  public var schema: SQLText
}
