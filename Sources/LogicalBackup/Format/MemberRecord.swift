/// One member of a logical backup file, as the index tells it.
public struct MemberRecord: Hashable, Sendable {
  public var kind: MemberKind
  /// Where it begins in the file (before encryption), in bytes.
  public var offset: Int
  /// Its compressed bytes, header and trailer included.
  public var length: Int
  /// The bytes of its text.
  public var textLength: Int
  /// For ``MemberKind/data``: the number of the table whose rows these are.
  public var table: Int?
  /// For ``MemberKind/data``: rows and the sum of their hashes.
  public var rows: Int
  public var hash: UInt64

  public init(
    kind: MemberKind, offset: Int, length: Int, textLength: Int, table: Int? = nil, rows: Int = 0,
    hash: UInt64 = 0
  ) {
    self.kind = kind
    self.offset = offset
    self.length = length
    self.textLength = textLength
    self.table = table
    self.rows = rows
    self.hash = hash
  }

  /// The bytes of the file that it takes.
  public var range: Range<Int> { offset..<offset + length }

  var line: IndexLine {
    var line = IndexLine("member")
    line.add("kind", kind.rawValue)
    line.add("offset", offset)
    line.add("length", length)
    line.add("text_length", textLength)
    if let table {
      line.add("table", table)
      line.add("rows", rows)
      line.add("hash", hash: hash)
    }
    return line
  }

  init(_ object: IndexObject) throws {
    let name = try object.string("kind")
    guard let kind = MemberKind(rawValue: name) else {
      throw LogicalBackupError(
        .newerFormat, "The backup's index names a kind of member that is not known: \(name).")
    }
    self.kind = kind
    offset = try object.count("offset")
    length = try object.count("length")
    textLength = try object.count("text_length")
    table = nil
    rows = 0
    hash = 0
    guard kind == .data else { return }
    table = try object.count("table")
    rows = try object.count("rows")
    hash = try object.hash("hash")
  }
}
