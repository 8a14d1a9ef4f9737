/// A column as a rehearsal looks at it.
struct ObservedColumn: Hashable {
  let name: String
  /// `character varying(20)`
  let type: String
  let isNotNull: Bool
  /// Whether a row that does not name it gets a value.
  let hasDefault: Bool
  /// Whether it is the primary key by itself.
  let isKey: Bool

  /// Reads columns as the observer's query joins them.
  static func list(_ text: String) -> [String: ObservedColumn] {
    var columns: [String: ObservedColumn] = [:]
    for part in text.split(separator: "\u{1}") {
      let fields = part.split(separator: "\u{2}", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 5 else { continue }
      columns[fields[0]] = ObservedColumn(
        name: fields[0], type: fields[1], isNotNull: fields[2] == "t",
        hasDefault: fields[3] == "t", isKey: fields[4] == "t")
    }
    return columns
  }
}
