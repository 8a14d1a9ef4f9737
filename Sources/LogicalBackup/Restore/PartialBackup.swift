/// A backup that something was left out of on purpose: what may be done with it.
struct PartialBackup {
  private let words: String?
  private let contents: ExportSelection.Contents

  init(_ facts: BackupFacts) {
    words = facts.isPartial ? facts.selection.joined(separator: "; ") : nil
    contents = facts.contents
  }

  /// - Parameter words: what the file's beginning says is left out.
  init(words: String) {
    self.words = words
    contents = .all
  }

  /// What a report says of it.
  var note: String? { words.map { "The backup is one of a part of its database: \($0)." } }

  /// - Throws: ``LogicalBackupError/Code/invalidRequest`` when the restore would take the backup for
  ///   more than it is.
  func check(_ options: RestoreOptions, _ name: String) throws {
    func refuse(_ message: String) throws {
      throw LogicalBackupError(.invalidRequest, message, object: name)
    }
    if options.mode == .replace, !options.acceptsPartial, let note {
      try refuse(
        "\(name) may not take the place of a whole database. \(note) Restore it under a name of its "
          + "own, or, if you mean it, add --partial.")
    }
    if contents == .rows, !options.omitsSchema {
      try refuse(
        "\(name) holds rows only. Restore it with --data-only into a database that has its tables.")
    }
    if contents == .schema, options.omitsSchema {
      try refuse("\(name) holds the schema only: there are no rows to restore.")
    }
  }
}
