/// Large objects between two OIDs, the piece of work of one connection.
struct LargeObjectBatch: Sendable {
  var first: UInt32
  var last: UInt32
  var count: Int

  /// How many objects there are in a batch.
  static let size = 1000
}
