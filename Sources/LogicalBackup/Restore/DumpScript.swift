import Postgres

/// What is known of a dump in SQL from its comments, while it is read: what made it, and whether
/// its last line came.
struct DumpScript {
  enum Origin: Hashable {
    /// psql may have been meant to run it; nobody says what belongs into it.
    case unknown
    case pgDump
    case pgDumpAll
    case pgkeep
  }

  private(set) var origin = Origin.unknown
  private var hasEnd = false
  /// A pgkeep index, line by line: the tables with their sums, and the totals.
  private(set) var tables: [TableRecord] = []
  private(set) var facts: BackupFacts?
  private(set) var totals: IndexTotals?
  /// What a pgkeep file's beginning says is left out.
  private(set) var partial: PartialBackup?
  private var failure: (any Error)?
  private var lines = 0

  /// Takes a comment between statements.
  mutating func read(_ comment: SQLText) {
    switch comment.string {
    case "-- PostgreSQL database dump" where origin == .unknown: origin = .pgDump
    case "-- PostgreSQL database cluster dump" where origin == .unknown: origin = .pgDumpAll
    case "-- PostgreSQL database dump complete", "-- PostgreSQL database cluster dump complete":
      hasEnd = true
    case let text where text.hasPrefix(FileHeader.partialMark.string) && partial == nil:
      partial = PartialBackup(words: String(text.dropFirst(FileHeader.partialMark.string.count)))
    default:
      guard comment.hasPrefix("-- {\"record\":"), failure == nil else { return }
      do { try readIndex(comment) } catch { failure = error }
    }
  }

  private mutating func readIndex(_ comment: SQLText) throws {
    lines += 1
    let object = try IndexObject(comment.bytes[...], number: lines)
    switch object.record {
    case "backup":
      facts = try BackupFacts(object)
      origin = .pgkeep
    case "table": tables.append(try TableRecord(object))
    case "totals": totals = try IndexTotals(object)
    default: break
    }
  }

  /// Checks at the end of the file that it is whole, as far as it tells.
  ///
  /// - Parameter rows: those that its COPY statements brought, by table, as the server named them.
  func checkEnd(name: String, rows: Int) throws {
    // The last line that is there may be half a line.
    if let failure, totals != nil { throw failure }
    let isWhole =
      switch origin {
      case .unknown: true
      case .pgDump, .pgDumpAll: hasEnd
      case .pgkeep: totals.map { $0.rows == rows && $0.tables == tables.count } ?? false
      }
    guard isWhole else {
      throw LogicalBackupError(
        .truncated,
        "\(name) ends too early: its last line, which says that it is complete, is missing. The "
          + "file was cut off.", object: name)
    }
  }
}
