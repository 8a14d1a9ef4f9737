import Postgres
public import Schema

/// How a database differs from what the last migration left.
public struct SchemaDrift: Sendable {
  /// The migration that the schema was last recorded after; nil when none was.
  public var since: HistoryEntry?
  /// From what was recorded to what is there; nil when they cannot be compared.
  public var difference: SchemaDifference?
  /// Why they cannot be compared.
  public var unknownBecause: String?
  /// The same difference as statements; `undo` the other way.
  public var made: SchemaChanges?
  public var undo: SchemaChanges?

  /// Whether something was changed by hand, as far as that is known.
  public var isFound: Bool { difference.map { !$0.isEmpty } ?? false }

  /// One line for each difference: `index public.orders_tmp was created by hand`.
  public var words: [String] {
    difference?.entries.map {
      "\($0.what) was \($0.change == .added ? "created" : "removed") by hand"
    } ?? []
  }

  /// - Parameter present: the database's schema as it is.
  init(_ history: History, _ present: SchemaState) throws {
    let records = SchemaRecords(connection: history.connection)
    guard let newest = try records.newest() else {
      unknownBecause =
        "no migration has recorded the schema yet; the next one does, or: "
        + "migrate diff --accept"
      return
    }
    let entries = try history.entries()
    since = entries.first { $0.id == newest.historyID }
    let later = entries.last { entry in
      entry.id > newest.historyID && [.done, .started, .failed].contains(entry.outcome)
    }
    if let later {
      unknownBecause = "the schema was not recorded after \(later.title)"
      return
    }
    if try present.fingerprint() == newest.fingerprint {
      difference = SchemaDifference(from: present, to: present)
      return
    }
    let recorded = try records.state()
    difference = SchemaDifference(from: recorded, to: present)
    made = try SchemaChanges(from: recorded, to: present)
    undo = try SchemaChanges(from: present, to: recorded)
  }

  /// For a run that comes upon it.
  var warning: String? {
    guard isFound else { return nil }
    let shown = words.prefix(5).joined(separator: "; ")
    let more = words.count > 5 ? "; and \(words.count - 5) more" : ""
    return
      "The database is not what \(since?.title ?? "the last migration") left: \(shown)\(more). "
      + "See migrate diff."
  }
}

extension Migrator.Blocking {
  /// Compares the database with what the last migration left. Reads the whole schema.
  public func drift() throws -> SchemaDrift {
    let present = try DatabaseSchema.state(target, cancellation: cancellation)
    return try SchemaDrift(readHistory().history, present)
  }

  /// Takes the schema as it is for what the last migration left.
  ///
  /// - Throws: ``MigrationsError/Code/noSuchStep`` when nothing was ever migrated.
  public func acceptDrift() throws {
    try recordPresent(
      MigrationSession(target, options, cancellation: cancellation, emit))
  }

  /// Records the schema as it is with the newest row of the history.
  func recordPresent(_ session: MigrationSession) throws {
    guard let last = try session.history.entries().last else {
      throw MigrationsError(.noSuchStep, "The history is empty; there is nothing to compare with.")
    }
    guard options.recordsSchema, options.scope.isEmpty else { return }
    let records = SchemaRecords(connection: session.lock.connection)
    let present = try DatabaseSchema.state(target, cancellation: cancellation)
    try records.add(first: last.id, last: last.id, from: try records.state(), to: present)
  }
}
