import Postgres

/// A migration as another tool has it, on its way to become two files of ours.
struct ForeignMigration {
  /// What the other tool's history calls it.
  let id: String
  var version: MigrationVersion
  let name: String
  var up: SQLText
  /// nil when there is no way back.
  var down: SQLText?
  var isUpTransactional = true
  var isDownTransactional = true

  var title: String { "\(version)_\(name)" }
}

/// What a reader found in another tool's folder.
struct ForeignFiles {
  var migrations: [ForeignMigration] = []
  /// `R__` files, by name.
  var repeatables: [(name: String, text: SQLText)] = []
  /// What cannot be converted.
  var problems: [MigrationProblem] = []
}
