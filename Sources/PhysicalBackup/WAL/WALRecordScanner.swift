import Postgres

/// Finds the few records in a stream of WAL that recovery targets go by: ends of transactions,
/// restore points, logical messages.
///
/// Pure bytes, in pieces of any size. The format is the server's own (`xlog_internal.h`,
/// `xlogrecord.h`): pages of 8 KiB with a header, records that are aligned to eight bytes and go
/// on over pages' ends, in the server's byte order; only little-endian servers are read, and
/// others are passed over without findings. It begins at a segment's start, and finds its way
/// again at the next page when something is not as expected.
struct WALRecordScanner {
  enum Finding: Hashable, Sendable {
    /// A commit or a rollback, with the server's clock.
    case transactionEnd(time: ServerTime, xid: UInt32, at: LSN)
    case restorePoint(name: String, time: ServerTime, at: LSN)
    case message(prefix: String, content: [UInt8], at: LSN)
  }

  private static let pageSize = 8192
  private static let shortHeader = 24
  private static let longHeader = 40
  private static let recordHeader = 24
  /// A logical message longer than this is not looked into.
  private static let longestMessage = 16 << 10

  private enum Phase {
    /// The rest of the page is of no use: zeros after a switch, or something unknown.
    case skipPage
    /// Bytes of a record that is not ours to read, or of padding.
    case skip(Int)
    /// Reading a record from its beginning.
    case record
  }

  /// The position of the next byte.
  private(set) var position: LSN
  private var page: [UInt8] = []
  private var isInPageHeader: Bool
  private var phase = Phase.skipPage
  private var record: [UInt8] = []
  private var recordStart = LSN.zero
  /// The record's whole length; 0 until it is known.
  private var recordLength = 0
  /// Bytes of the record that have passed.
  private var recordSeen = 0
  /// How much of the record is kept.
  private var wanted = Self.recordHeader

  /// - Parameter position: the start of a segment.
  init(at position: LSN) {
    self.position = position
    isInPageHeader = true
    page.reserveCapacity(Self.longHeader)
    record.reserveCapacity(256)
  }

  /// Takes the next bytes of the log and gives what is found in them to `found`.
  mutating func take(_ bytes: UnsafeRawBufferPointer, _ found: (Finding) -> Void) {
    var offset = 0
    while offset < bytes.count {
      if position.rawValue % UInt64(Self.pageSize) == 0, page.isEmpty { isInPageHeader = true }
      if isInPageHeader {
        page.append(bytes[offset])
        offset += 1
        position = position + 1
        if page.count == headerLength { beginPage() }
        continue
      }
      let left = Self.pageSize - Int(position.rawValue % UInt64(Self.pageSize))
      let count = min(left, bytes.count - offset)
      let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
      let used = takePageContent(piece, found)
      offset += used
      position = position + used
    }
  }

  private var headerLength: Int {
    guard page.count >= 4 else { return Self.shortHeader }
    return page[2] & 2 != 0 ? Self.longHeader : Self.shortHeader
  }

  /// A page's header is there: decides what its content begins with.
  private mutating func beginPage() {
    defer { page.removeAll(keepingCapacity: true) }
    isInPageHeader = false
    // The magic numbers of all versions since 9.3 have this high byte.
    guard page[1] == 0xD1 else { return lose() }
    let continues = page[2] & 1 != 0
    let remaining = Int(Self.number(page, 16, 4))
    if case .record = phase, recordSeen > 0 {
      // A crash may have left a record that was never finished; the page then begins afresh.
      if continues, recordLength > 0, remaining == recordLength - recordSeen { return }
    } else if case .skip(let rest) = phase, continues, remaining <= rest, rest - remaining < 8 {
      return
    }
    startRecord()
    // The padding behind it is part of what is skipped.
    if continues, remaining > 0 { phase = .skip((remaining + 7) / 8 * 8) }
  }

  private mutating func lose() {
    startRecord()
    phase = .skipPage
  }

  private mutating func startRecord() {
    record.removeAll(keepingCapacity: true)
    recordSeen = 0
    recordLength = 0
    wanted = Self.recordHeader
    phase = .record
  }

  /// Takes bytes of one page, and says how many.
  private mutating func takePageContent(
    _ bytes: UnsafeRawBufferPointer, _ found: (Finding) -> Void
  ) -> Int {
    switch phase {
    case .skipPage: return bytes.count
    case .skip(let count):
      let used = min(count, bytes.count)
      if used == count { startRecord() } else { phase = .skip(count - used) }
      return used
    case .record: break
    }
    if recordSeen == 0 { recordStart = position }
    if record.count < wanted {
      let used = min(wanted - record.count, bytes.count)
      record.append(contentsOf: bytes[..<used])
      recordSeen += used
      if recordLength == 0, record.count >= 4 {
        recordLength = Int(Self.number(record, 0, 4))
        guard recordLength >= Self.recordHeader else {
          lose()
          return used
        }
      }
      if record.count == wanted, wanted == Self.recordHeader { wanted = lengthToKeep() }
      if recordSeen == recordLength { finishRecord(found) }
      return used
    }
    let used = min(recordLength - recordSeen, bytes.count)
    recordSeen += used
    if recordSeen == recordLength { finishRecord(found) }
    return used
  }

  private enum Kind { case restorePoint, transactionEnd, message, other }

  private var kind: Kind {
    let (info, manager) = (record[16], record[17])
    switch manager {
    case 0: return info & 0xF0 == 0x70 ? .restorePoint : .other
    // Commit, abort, and both for prepared transactions.
    case 1: return [0x00, 0x20, 0x30, 0x40].contains(info & 0x70) ? .transactionEnd : .other
    case 21: return info & 0xF0 == 0 ? .message : .other
    default: return .other
    }
  }

  private func lengthToKeep() -> Int {
    switch kind {
    case .other: Self.recordHeader
    case .transactionEnd: min(recordLength, 64)
    case .restorePoint: min(recordLength, 256)
    case .message: recordLength <= Self.longestMessage ? recordLength : Self.recordHeader
    }
  }

  private mutating func finishRecord(_ found: (Finding) -> Void) {
    if record.count > Self.recordHeader, let data = mainData, let finding = finding(data) {
      found(finding)
    }
    let padding = (8 - recordLength % 8) % 8
    startRecord()
    if padding > 0 { phase = .skip(padding) }
  }

  /// Where the record's own data begin, behind the headers of its parts. The records that are
  /// looked for have no parts for pages.
  private var mainData: Int? {
    var cursor = Self.recordHeader
    while cursor + 1 < record.count {
      switch record[cursor] {
      case 255: return cursor + 2
      case 254: return cursor + 5
      case 253: cursor += 3
      case 252: cursor += 5
      default: return nil
      }
    }
    return nil
  }

  private func finding(_ data: Int) -> Finding? {
    switch kind {
    case .other: return nil
    case .transactionEnd:
      guard record.count >= data + 8 else { return nil }
      let xid = UInt32(truncatingIfNeeded: Self.number(record, 4, 4))
      return .transactionEnd(time: time(data), xid: xid, at: recordStart)
    case .restorePoint:
      guard record.count >= data + 9 else { return nil }
      let name = record[(data + 8)...].prefix(64).prefix { $0 != 0 }
      return .restorePoint(
        name: String(decoding: name, as: UTF8.self), time: time(data), at: recordStart)
    case .message:
      // Database, whether transactional, two lengths of eight bytes; the prefix ends in a zero.
      guard record.count >= data + 24,
        let prefixLength = Int(exactly: Self.number(record, data + 8, 8)),
        let length = Int(exactly: Self.number(record, data + 16, 8)), prefixLength >= 1,
        prefixLength <= record.count, length <= record.count,
        data + 24 + prefixLength + length <= record.count
      else { return nil }
      let text = data + 24
      return .message(
        prefix: String(decoding: record[text..<text + prefixLength - 1], as: UTF8.self),
        content: Array(record[(text + prefixLength)..<(text + prefixLength + length)]),
        at: recordStart)
    }
  }

  private func time(_ offset: Int) -> ServerTime {
    ServerTime(microseconds: Int64(bitPattern: Self.number(record, offset, 8)))
  }

  /// A little-endian number.
  private static func number(_ bytes: [UInt8], _ offset: Int, _ length: Int) -> UInt64 {
    bytes[offset..<offset + length].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
