import Repository

extension Manifest.Table {
  /// What a manifest tells of a table that an index tells of.
  init(_ table: TableRecord) {
    let digits = String(table.sum.hash, radix: 16)
    self.init(
      schema: "\(table.schema)", name: "\(table.name)", rows: table.sum.rows,
      hash: String(repeating: "0", count: 16 - digits.count) + digits, bytes: table.sum.bytes)
  }
}
