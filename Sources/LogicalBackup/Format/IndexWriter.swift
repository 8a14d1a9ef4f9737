import Postgres

/// Collects the index while the file is written. One thread at a time uses it.
///
/// Lines of members come by the hundred thousand and go to a ``Spool``; the others wait in memory
/// for the order of the file: facts, tables, members, items, totals.
final class IndexWriter {
  private let facts: BackupFacts
  private let members = Spool()
  private var items: [ItemRecord] = []
  private(set) var totals = IndexTotals()
  /// Each table's rows so far, by number.
  private(set) var sums: [Int: TableSum] = [:]

  init(_ facts: BackupFacts) { self.facts = facts }

  /// Notes a member that has been written.
  ///
  /// - Parameter sum: for data, what its rows add up to.
  func add(_ member: MemberRecord, sum: TableSum = TableSum()) throws {
    try members.append(member.line.finished)
    totals.members += 1
    totals.textBytes += member.textLength
    guard let table = member.table else { return }
    sums[table, default: TableSum()] += sum
    totals.rows += sum.rows
  }

  func add(_ item: ItemRecord) {
    items.append(item)
    totals.items += 1
  }

  func count(sequences: Int) { totals.sequences += sequences }
  func count(largeObjects: Int) { totals.largeObjects += largeObjects }

  /// Gives the index's text in pieces, each of whole lines, once the tables' sums are known.
  ///
  /// - Parameter pieceSize: about how many bytes a piece has.
  func finish(
    tables: [TableRecord], pieceSize: Int, _ body: ([UInt8]) throws -> Void
  ) throws {
    totals.tables = tables.count
    var piece: [UInt8] = []
    func add(_ line: some Collection<UInt8>) throws {
      piece += line
      guard piece.count >= pieceSize else { return }
      try body(piece)
      piece.removeAll(keepingCapacity: true)
    }
    try add(Array("--\n-- pgkeep index\n--\n".utf8))
    try add(facts.line.finished)
    for table in tables { try add(table.line.finished) }
    var lines = LineReader(members.source())
    while let line = try lines.next() { try add(line + [10]) }
    for item in items { try add(item.line.finished) }
    try add(totals.line.finished)
    try body(piece)
  }
}
