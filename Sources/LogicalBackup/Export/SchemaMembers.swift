import ByteStream
import Postgres
import Schema

/// Makes members of the schema's statements and of sequences' values.
struct SchemaMembers {
  private let maker: MemberMaker

  init(_ maker: MemberMaker) { self.maker = maker }

  func preData(_ items: [SchemaItem]) throws {
    for item in items where !item.sql.isEmpty {
      maker.append(item.text)
      if maker.isFull { try maker.finish(.preData) }
    }
    try maker.finish(.preData)
  }

  func sequences(_ sequences: [SequenceData]) throws {
    var count = 0
    for sequence in sequences {
      guard let sql = sequence.sql else { continue }
      maker.append(sql)
      count += 1
      if maker.isFull {
        try maker.finish(.sequences) { $0.sequences = count }
        count = 0
      }
    }
    try maker.finish(.sequences) { $0.sequences = count }
  }

  /// - Parameter items: in an order that runs.
  func postData(_ items: [SchemaItem]) throws {
    var records: [ItemRecord] = []
    func finish() throws {
      // Places in the order need a member too.
      if maker.text.count == 0, !records.isEmpty { maker.append("\n") }
      try maker.finish(.postData) { $0.items = records }
      records.removeAll()
    }
    for (index, item) in items.enumerated() {
      // What comes with another item, such as a constraint's index, has a place in the order only.
      let text = item.sql.isEmpty ? "" : item.text
      let start = maker.text.count
      maker.append(text)
      records.append(
        ItemRecord(
          number: index + 1, kind: item.kind.label, schema: item.schema, name: item.name,
          stage: item.stage.rawValue, dependencies: item.dependencies.map { $0 + 1 },
          locks: item.locks.map {
            ItemRecord.Lock(table: Int($0.table), isShared: $0.isShared)
          }, member: 0, start: start, length: text.bytes.count))
      // Small members: a reader fetches one to run a single statement of it.
      if maker.text.count >= 256 << 10 { try finish() }
    }
    try finish()
  }
}
