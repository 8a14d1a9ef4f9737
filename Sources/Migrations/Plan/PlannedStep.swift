/// One migration, up or down, that a run is going to take.
public struct PlannedStep: Sendable {
  public var direction: Direction
  /// nil for a repeatable file.
  public var version: MigrationVersion?
  public var name: String
  /// What is run.
  public var script: MigrationScript
  /// What is kept in the history.
  var up: MigrationScript?
  var down: MigrationScript?
  /// The history's row that a down undoes.
  var undoes: Int?
  /// The history's row of the attempt that this goes on with.
  public internal(set) var resumes: Int?

  /// The up of a migration, from its files.
  init(_ migration: Migration) {
    self.init(
      direction: .up, version: migration.version, name: migration.name, script: migration.up,
      up: migration.up, down: migration.down)
  }

  init(
    direction: Direction, version: MigrationVersion?, name: String, script: MigrationScript,
    up: MigrationScript? = nil, down: MigrationScript? = nil, undoes: Int? = nil,
    resumes: Int? = nil
  ) {
    self.direction = direction
    self.version = version
    self.name = name
    self.script = script
    self.up = up
    self.down = down
    self.undoes = undoes
    self.resumes = resumes
  }

  /// `20261122093000_orders`, or `R__orders_view`.
  public var title: String { version.map { "\($0)_\(name)" } ?? "R__\(name)" }
}

/// One step that is done and committed.
public struct FinishedStep: Sendable {
  public var step: PlannedStep
  public var duration: Duration
  /// How many statements it had.
  public var statements: Int
  /// The history's row that says so.
  public var historyID: Int
}
