/// A value in a line of the index, as ``IndexParser`` reads it: JSON in which every number is a
/// whole one.
enum IndexValue: Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  case string(String)
  case array([IndexValue])
  case object([String: IndexValue])
}
