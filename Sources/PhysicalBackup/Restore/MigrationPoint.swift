/// How a migration shows in the WAL: a restore point `pgkeep:before:VERSION`, or a logical message
/// with the prefix `pgkeep.migration` whose text is `before VERSION …`.
enum MigrationPoint {
  static let messagePrefix = "pgkeep.migration"
  static let restorePointPrefix = "pgkeep:before:"

  /// The version of the migration that a point stands before; nil for every other point.
  static func version(of point: WALPoints.Named) -> String? {
    switch point.kind {
    case .restorePoint:
      guard point.name.hasPrefix(restorePointPrefix) else { return nil }
      return String(point.name.dropFirst(restorePointPrefix.count))
    case .message:
      guard point.name == messagePrefix, let content = point.content else { return nil }
      let words = content.split(separator: " ")
      guard words.count >= 2, words[0] == "before" else { return nil }
      return String(words[1])
    }
  }
}
