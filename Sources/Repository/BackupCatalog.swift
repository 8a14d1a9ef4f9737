/// What a store holds of one environment, at the moment of listing.
public struct BackupCatalog: Hashable, Sendable {
  public let environment: String
  /// Where it was listed, for messages.
  public let place: String
  /// By database, then oldest first.
  public let entries: [CatalogEntry]
  /// By key.
  public let leftovers: [Leftover]
  /// Marks of those who read backups.
  public let pins: [Pin]

  public init(
    environment: String, place: String, entries: [CatalogEntry], leftovers: [Leftover],
    pins: [Pin] = []
  ) {
    self.pins = pins
    self.environment = environment
    self.place = place
    self.entries = entries.sorted {
      $0.database == $1.database
        ? $0.id < $1.id : $0.database.utf8.lexicographicallyPrecedes($1.database.utf8)
    }
    self.leftovers = leftovers.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  /// The databases that there are backups of, in order.
  public var databases: [String] {
    var names: [String] = []
    for entry in entries where names.last != entry.database { names.append(entry.database) }
    return names
  }

  /// The backup that somebody means.
  ///
  /// - Parameters:
  ///   - text: `latest` for the newest whole backup, a backup's name, or the beginning of one, or
  ///     of its digits.
  ///   - database: only that one's backups.
  ///   - isPartialWelcome: whether `latest` may be a backup of a part of a database.
  public func resolve(
    _ text: String, database: String? = nil, isPartialWelcome: Bool = false
  ) throws -> CatalogEntry {
    let candidates = database.map { name in entries.filter { $0.database == name } } ?? entries
    guard !candidates.isEmpty else { throw nothing(database) }
    return text == "latest"
      ? try latest(candidates, isPartialWelcome) : try named(text, candidates, database)
  }

  private func latest(
    _ candidates: [CatalogEntry], _ isPartialWelcome: Bool
  ) throws -> CatalogEntry {
    let databases = Set(candidates.map(\.database))
    guard databases.count == 1 else {
      throw RepositoryError(
        .ambiguous,
        "\(place) holds backups of \(databases.count) databases in environment \(environment): "
          + databases.sorted().joined(separator: ", ") + "; say which one is meant")
    }
    let isMeant: (CatalogEntry) -> Bool = { entry in
      entry.isWhole || isPartialWelcome && entry.problem == nil
    }
    if let newest = candidates.last(where: isMeant) { return newest }
    let reasons = candidates.suffix(3).map {
      "\($0.id): \($0.problem ?? "holds a part of the database only")"
    }
    throw RepositoryError(
      .noBackup,
      "none of the \(candidates.count) backups of \(candidates[0].database) in \(place) is "
        + "whole (\(reasons.joined(separator: "; ")))")
  }

  private func named(
    _ text: String, _ candidates: [CatalogEntry], _ database: String?
  ) throws -> CatalogEntry {
    let answering = candidates.filter { $0.id.answers(to: text) }
    if let only = answering.first, answering.count == 1 { return only }
    guard !answering.isEmpty else {
      throw RepositoryError(
        .noBackup,
        "there is no backup \"\(text)\" "
          + (database.map { "of \($0) " } ?? "") + "in \(place), environment \(environment); "
          + "the newest is \(candidates.map(\.id).max()?.description ?? "none")")
    }
    let names = answering.prefix(5).map { "\($0.id) (\($0.database))" }
    throw RepositoryError(
      .ambiguous,
      "\"\(text)\" is the beginning of \(answering.count) backups' names: "
        + names.joined(separator: ", ") + (answering.count > 5 ? ", …" : ""))
  }

  private func nothing(_ database: String?) -> RepositoryError {
    guard let database else {
      return RepositoryError(
        .noBackup, "there are no backups in \(place), environment \(environment)")
    }
    let others = databases
    return RepositoryError(
      .noBackup,
      "there are no backups of \(database) in \(place), environment \(environment)"
        + (others.isEmpty ? "" : "; there are of \(others.joined(separator: ", "))"))
  }
}
