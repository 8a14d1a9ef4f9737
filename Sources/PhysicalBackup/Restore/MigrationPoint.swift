import FoundationEssentials
import Postgres
import Repository

/// One attempt to apply a migration, as the WAL shows it: a restore point
/// `pgkeep:<version>:<row of the history>` just before it, where the role may make one, and a
/// logical message with the prefix `pgkeep.migration` in its transaction, a JSON object with `id`
/// (that row), `version` and `direction`.
struct MigrationPoint {
  static let messagePrefix = "pgkeep.migration"
  static let restorePointPrefix = "pgkeep:"

  var version: String
  var row: Int
  /// The first of its records: before it nothing of the migration had happened.
  var position: LSN
  var time: ServerTime?

  private struct Message: Codable {
    var id: Int
    var version: String?
    var name: String?
    var direction: String
  }

  /// What says which migration a message is about, and nothing of its statements; nil for any
  /// other text.
  static func withoutStatements(_ content: String) -> String? {
    guard let message = try? JSONDecoder().decode(Message.self, from: Data(content.utf8)),
      let bytes = try? StoredJSON.encode(message, pretty: false)
    else { return nil }
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }

  /// The attempts to apply a migration, in order; what undid one is left out.
  static func attempts(_ named: [WALPoints.Named]) -> [MigrationPoint] {
    var attempts: [Int: MigrationPoint] = [:]
    var undone: Set<Int> = []
    for point in named {
      guard let found = MigrationPoint(point, &undone) else { continue }
      if let known = attempts[found.row], known.position <= found.position { continue }
      attempts[found.row] = found
    }
    return attempts.values.filter { !undone.contains($0.row) }.sorted { $0.position < $1.position }
  }

  private init?(_ point: WALPoints.Named, _ undone: inout Set<Int>) {
    position = point.lsn
    time = point.serverTime
    switch point.kind {
    case .restorePoint:
      let parts = point.name.split(separator: ":")
      guard point.name.hasPrefix(Self.restorePointPrefix), parts.count == 3,
        let row = Int(parts[2])
      else { return nil }
      version = String(parts[1])
      self.row = row
    case .message:
      guard point.name == Self.messagePrefix, let content = point.content,
        let message = try? JSONDecoder().decode(Message.self, from: Data(content.utf8))
      else { return nil }
      if message.direction == "down" { undone.insert(message.id) }
      guard let version = message.version else { return nil }
      self.version = version
      row = message.id
    }
  }
}
