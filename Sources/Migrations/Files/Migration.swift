/// One step of the schema: a file that makes it and a file that undoes it.
public struct Migration: Hashable, Sendable {
  public let version: MigrationVersion
  public let name: String
  public let up: MigrationScript
  /// nil for an up that declares itself irreversible and has no down file.
  public let down: MigrationScript?

  /// `20261122093000_orders`.
  public var title: String { "\(version)_\(name)" }
}
