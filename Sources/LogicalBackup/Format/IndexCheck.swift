/// Checks, while an index is read, that what it tells fits together: members follow one another
/// without a gap, tables' rows are the sums of their members', and nothing is missing.
struct IndexCheck {
  private let offset: Int
  private var next = 0
  private var members = 0
  private var textBytes = 0
  private var rows = 0
  private var sums: [Int: TableSum] = [:]
  private var postData: [Int: Int] = [:]

  init(offset: Int) { self.offset = offset }

  mutating func add(_ member: MemberRecord) throws {
    guard member.offset == next, member.length > 0, member.length <= offset - next else {
      throw LogicalBackupError(
        .damaged,
        "The backup's index says that a member begins at byte \(member.offset), where byte "
          + "\(next) was next.")
    }
    next += member.length
    members += 1
    textBytes += member.textLength
    rows += member.rows
    if member.kind == .postData { postData[member.offset] = member.textLength }
    if let table = member.table {
      sums[table, default: TableSum()] += TableSum(rows: member.rows, hash: member.hash, bytes: 0)
    }
  }

  mutating func finish(
    tables: [TableRecord], items: [ItemRecord], totals: IndexTotals
  ) throws {
    func require(_ condition: Bool, _ what: String) throws {
      guard condition else {
        throw LogicalBackupError(.damaged, "The backup's index contradicts itself: \(what).")
      }
    }
    try require(next == offset, "its members do not reach to its beginning")
    try require(members == totals.members, "the number of members")
    try require(tables.count == totals.tables, "the number of tables")
    try require(items.count == totals.items, "the number of post-data items")
    try require(textBytes == totals.textBytes, "the bytes of text")
    try require(rows == totals.rows, "the number of rows")
    for table in tables {
      let sum = sums.removeValue(forKey: table.number) ?? TableSum()
      try require(sum.proves(table.sum), "the rows of \(table.qualifiedName)")
    }
    try require(sums.isEmpty, "rows of a table that it does not name")
    for (index, item) in items.enumerated() {
      let textLength = postData[item.member] ?? 0
      try require(
        item.number == index + 1 && item.start <= textLength
          && item.length <= textLength - item.start
          && item.dependencies.allSatisfy { (1...items.count).contains($0) },
        "the place of \(item.kind) \(item.name)")
    }
  }
}
