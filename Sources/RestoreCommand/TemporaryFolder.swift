import FoundationEssentials

/// A folder for what is needed meanwhile.
enum TemporaryFolder {
  /// Removes it with all that is in it.
  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
