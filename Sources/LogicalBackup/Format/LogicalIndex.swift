import ByteStream
import Gzip

/// The index of a logical backup file: what it holds, and where.
///
/// Tables and items are in memory; members, of which a large database has hundreds of thousands,
/// are read again from the index, kept in compressed form, each time they are asked for.
public final class LogicalIndex: Sendable {
  public let facts: BackupFacts
  public let tables: [TableRecord]
  public let items: [ItemRecord]
  public let totals: IndexTotals
  /// Where the index begins in the file, in bytes: behind the last member that it tells of.
  public let offset: Int
  private let compressed: Spool

  /// - Parameters:
  ///   - compressed: the index members, without the end member.
  ///   - offset: where they begin in the file.
  init(_ compressed: Spool, offset: Int) throws {
    self.compressed = compressed
    self.offset = offset
    var facts: BackupFacts?
    var tables: [TableRecord] = []
    var items: [ItemRecord] = []
    var totals: IndexTotals?
    var check = IndexCheck(offset: offset)
    try Self.forEachLine(compressed) { object in
      guard totals == nil else {
        throw LogicalBackupError(.damaged, "The backup's index goes on after its totals.")
      }
      guard facts != nil || object.record == "backup" else {
        throw LogicalBackupError(.damaged, "The backup's index does not begin with its facts.")
      }
      switch object.record {
      case "backup":
        guard facts == nil else {
          throw LogicalBackupError(.damaged, "The backup's index holds its facts twice.")
        }
        facts = try BackupFacts(object)
      case "table": tables.append(try TableRecord(object))
      case "member": try check.add(MemberRecord(object))
      case "item": items.append(try ItemRecord(object))
      case "totals": totals = try IndexTotals(object)
      // A later version may tell more; what it tells has to be safe to pass over.
      default: break
      }
    }
    guard let facts, let totals else {
      throw LogicalBackupError(.damaged, "The backup's index has no totals.")
    }
    try check.finish(tables: tables, items: items, totals: totals)
    self.facts = facts
    self.tables = tables
    self.items = items
    self.totals = totals
  }

  /// Gives each member in the file's order, which is the order of their offsets.
  public func forEachMember(_ body: (MemberRecord) throws -> Void) throws {
    try Self.forEachLine(compressed) { object in
      if object.record == "member" { try body(try MemberRecord(object)) }
    }
  }

  /// The members of one kind, where they are known to be few.
  public func members(_ kind: MemberKind) throws -> [MemberRecord] {
    var found: [MemberRecord] = []
    try forEachMember { if $0.kind == kind { found.append($0) } }
    return found
  }

  private static func forEachLine(
    _ compressed: Spool, _ body: (IndexObject) throws -> Void
  ) throws {
    var lines = LineReader(GzipReader(compressed.source()))
    var number = 0
    do {
      while let line = try lines.next() {
        number += 1
        // The heading is for people.
        if line.count > 3, line[line.startIndex + 3] == UInt8(ascii: "{") {
          try body(try IndexObject(line, number: number))
        }
      }
    } catch let error as GzipError {
      throw LogicalBackupError(.damaged, "The backup's index is damaged.", cause: error)
    }
  }
}
