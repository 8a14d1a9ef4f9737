/// The names of databases that a restore makes beside the one that it is about.
struct DatabaseNames {
  /// The name that the restored database is to have.
  let final: String

  private static let longest = 63
  private static let restoringMark = "_pgkeep_restoring_"

  /// While it is filled.
  func temporary(id: String) -> String { prefix(Self.restoringMark, id.utf8.count) + id }

  /// What every ``temporary(id:)`` of this database begins with, for ids of that many bytes.
  func temporaryPrefix(idLength: Int) -> String { prefix(Self.restoringMark, idLength) }

  /// What the replaced database is called afterwards.
  func before(time: String) -> String { prefix("_before_", time.utf8.count) + time }

  /// What a whole one is called when it could not take its final name.
  func restored(time: String) -> String { prefix("_restored_", time.utf8.count) + time }

  /// The key of the advisory lock that restores of this name take: a restore in progress.
  var lockKey: Int32 { Int32(bitPattern: Self.hash(final)) }

  private func prefix(_ mark: String, _ room: Int) -> String {
    let left = Self.longest - mark.utf8.count - room
    if final.utf8.count <= left { return final + mark }
    // Cut off, so that a hash has to keep long names apart.
    let tag = "_" + String(Self.hash(final), radix: 36)
    var head = final
    while head.utf8.count > left - tag.utf8.count { head.removeLast() }
    return head + tag + mark
  }

  /// FNV-1a, 32 bits.
  private static func hash(_ text: String) -> UInt32 {
    text.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }
}
