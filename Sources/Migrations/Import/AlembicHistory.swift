/// What `alembic history --verbose` prints: a block for each revision, the newest first.
struct AlembicHistory {
  struct Revision: Equatable {
    let id: String
    let parents: [String]
    let message: String
    /// `20261122093000`, from the file's "Create Date".
    let created: UInt64?
  }

  /// In an order in which each comes after its parents.
  let revisions: [Revision]

  init(_ text: String) {
    var revisions: [Revision] = []
    var block: [Substring] = []
    func close() {
      if let revision = Self.revision(block) { revisions.append(revision) }
      block = []
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("Rev: ") { close() }
      block.append(line)
    }
    close()
    self.revisions = revisions.reversed()
  }

  private static func revision(_ block: [Substring]) -> Revision? {
    func value(_ name: String) -> Substring? {
      block.first { $0.drop { $0 == " " }.hasPrefix(name) }
        .map { $0.drop { $0 == " " }.dropFirst(name.count) }
    }
    guard let id = value("Rev: ")?.prefix(while: { $0 != " " }) else { return nil }
    let parents = (value("Parent: ") ?? value("Merges: ") ?? "").split(separator: ",")
      .map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
      .filter { !$0.isEmpty && $0 != "<base>" }
    // The message is the first indented line that says something.
    let message = block.dropFirst().first { $0.hasPrefix("    ") && $0.contains { $0 != " " } }
    let digits = value("Create Date: ")?.prefix(19).filter(\.isNumber)
    return Revision(
      id: String(id), parents: parents,
      message: message.map { String($0.drop { $0 == " " }) } ?? "",
      created: digits.flatMap { $0.count == 14 ? UInt64($0) : nil })
  }
}
