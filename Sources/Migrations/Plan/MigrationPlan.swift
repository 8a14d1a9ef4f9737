/// What a run would do, in order.
public struct MigrationPlan: Sendable {
  public var steps: [PlannedStep]
  /// What a person should know, and what is no error.
  public var warnings: [String]
}
