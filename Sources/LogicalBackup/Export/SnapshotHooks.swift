/// Called between the steps of taking a snapshot, by tests that change the database there.
struct SnapshotHooks: Sendable {
  var afterListing: @Sendable () throws -> Void = {}
  var afterLocking: @Sendable () throws -> Void = {}
  var afterSnapshot: @Sendable () throws -> Void = {}
  var afterReading: @Sendable () throws -> Void = {}
}
