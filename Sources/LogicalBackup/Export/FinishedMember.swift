import ByteStream

/// A compressed member on its way to the file.
struct FinishedMember: Sendable {
  var kind: MemberKind
  var compressed: Block
  var textLength: Int
  /// For data: the table's number, and what the rows add up to.
  var table: Int?
  var sum = TableSum()
  /// For post-data: what it holds; where in the file is not known yet.
  var items: [ItemRecord] = []
  var sequences = 0
  var largeObjects = 0
}
