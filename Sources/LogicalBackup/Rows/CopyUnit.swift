import Postgres

/// A piece of work for one connection: all rows of a table, or those on a range of its pages.
struct CopyUnit: Sendable {
  /// The position of the table among the sources.
  var source: Int
  var sql: SQLText
  /// About how many bytes there are to read.
  var bytes: Int

  /// About how many bytes of a table one unit reads, so that several connections can share one
  /// table, and the last unit that is still running is short.
  static let size = 64 << 20

  /// Cuts tables into units, the largest first, so that the small ones fill the gaps at the end.
  /// Tables without a page need none: a schema may have many thousands of them.
  ///
  /// - Parameter blockSize: the server's page size, in bytes.
  static func cut(_ sources: [CopySource], blockSize: Int) -> [CopyUnit] {
    var units: [CopyUnit] = []
    for (number, source) in sources.enumerated() where !source.isEmpty {
      let pages = source.mainBytes / blockSize
      let count = min(pages, (source.totalBytes + size - 1) / size)
      guard count > 1, source.condition?.isEmpty ?? true else {
        units.append(CopyUnit(source: number, sql: source.copyAll, bytes: source.totalBytes))
        continue
      }
      for part in 0..<count {
        let (start, end) = (pages * part / count, pages * (part + 1) / count)
        // The last range has no end: it holds what was added since the size was taken.
        units.append(
          CopyUnit(
            source: number, sql: source.copy(pages: start, to: part + 1 < count ? end : nil),
            bytes: source.totalBytes / count))
      }
    }
    // Stable: ranges of one table stay in their order, which the disk likes.
    return units.enumerated()
      .sorted { ($1.element.bytes, $0.offset) < ($0.element.bytes, $1.offset) }
      .map(\.element)
  }
}
