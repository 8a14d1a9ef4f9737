/// The index's last line: how much there is of everything, so that a line that is missing shows.
public struct IndexTotals: Hashable, Sendable {
  public var tables = 0
  public var members = 0
  public var items = 0
  public var rows = 0
  /// Bytes of all members' text.
  public var textBytes = 0
  public var sequences = 0
  public var largeObjects = 0

  public init() {}

  var line: IndexLine {
    var line = IndexLine("totals")
    line.add("tables", tables)
    line.add("members", members)
    line.add("items", items)
    line.add("rows", rows)
    line.add("text_bytes", textBytes)
    line.add("sequences", sequences)
    line.add("large_objects", largeObjects)
    return line
  }

  init(_ object: IndexObject) throws {
    tables = try object.count("tables")
    members = try object.count("members")
    items = try object.count("items")
    rows = try object.count("rows")
    textBytes = try object.count("text_bytes")
    sequences = try object.count("sequences")
    largeObjects = try object.count("large_objects")
  }
}
