/// The keys of proofs in a listing, before any of them is read.
struct ProofKeys {
  /// By backup, all keys in the order of their times: that of one folder's listing.
  private var keys: [BackupID: [String]] = [:]

  /// Takes note of a key if it is a proof's.
  mutating func note(_ key: String) {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[2] == "proofs", let id = BackupID(parts[3]),
      parts[4].hasSuffix("-passed.json") || parts[4].hasSuffix("-failed.json")
    else { return }
    keys[id, default: []].append(key)
  }

  /// The newest proof's key.
  func newest(of id: BackupID) -> String? { keys[id]?.last }

  /// The newest key of a proof that passed.
  func newestPassed(of id: BackupID) -> String? {
    keys[id]?.last { $0.hasSuffix("-passed.json") }
  }

  /// All keys about one backup.
  func all(of id: BackupID) -> [String] { keys[id] ?? [] }
}
