/// Divides a file at lines that mark what follows: `-- migrate:up`, `-- +goose Down`.
enum MarkedSections {
  /// - Parameter mark: gives the mark that a line is, or nil.
  /// - Returns: each mark with the text behind it, up to the next one; what is before the first
  ///   mark is left out.
  static func divide<Mark>(_ text: [UInt8], at mark: (String) -> Mark?) -> [(Mark, [UInt8])] {
    var sections: [(Mark, [UInt8])] = []
    for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      let trimmed = line.drop { $0 == 0x20 || $0 == 0x09 }
      if trimmed.starts(with: [0x2D, 0x2D]),
        let found = mark(String(decoding: trimmed.filter { $0 != 0x0D }, as: UTF8.self))
      {
        sections.append((found, []))
      } else if let last = sections.indices.last {
        sections[last].1.append(contentsOf: line)
        sections[last].1.append(0x0A)
      }
    }
    return sections
  }
}
