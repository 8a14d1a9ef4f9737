public import ByteStream
public import ObjectStore

/// Carries out a retention plan.
///
/// A backup's manifest goes first, then its data, then its proofs: whoever stops in between leaves
/// data without a manifest, which is no backup, and which a later prune removes.
public struct Prune: Sendable {
  public struct Outcome: Hashable, Sendable {
    /// The backups and leftovers that are gone, as the plan named them.
    public var deleted: [RetentionPlan.Line] = []
    /// What the plan deletes and is still there, with the reason in words.
    public var refused: [Refusal] = []
    /// Bytes.
    public var freed: Int { deleted.reduce(0) { $0 + $1.bytes } }

    public init() {}
  }

  public struct Refusal: Hashable, Sendable {
    public let line: RetentionPlan.Line
    public let reason: String
    /// Whether it is as it should be: an object lock that does its work, or a leftover that has
    /// become a backup. Otherwise a right is missing.
    public let isExpected: Bool
  }

  private let repository: BackupRepository
  private let cancellation: Cancellation

  /// Where the backups are.
  public var store: any ObjectStore { repository.store }

  public init(_ repository: BackupRepository, cancellation: Cancellation = Cancellation()) {
    self.repository = repository
    self.cancellation = cancellation
  }

  /// Makes the plan: lists the store, and reads its clock.
  ///
  /// - Parameter hostTime: this host's clock. When the store's differs by more than an hour, one
  ///   of them has jumped, and this throws ``RepositoryError/Code/clock``.
  public func plan(
    policy: RetentionPolicy, database: String? = nil, hostTime: UTCTime = .now(),
    pinned: Set<BackupID> = []
  ) throws -> RetentionPlan {
    let clock = try repository.store.clock()
    guard abs(clock.seconds(since: hostTime)) <= Double(RetentionPlan.clockTolerance) else {
      throw RepositoryError(
        .clock,
        "this host's clock (\(hostTime)) and that of \(repository.store.description) (\(clock)) "
          + "differ by more than an hour: nothing is deleted before they agree")
    }
    let catalog = try repository.catalog(database: database, cancellation: cancellation)
    return try RetentionPlan(catalog, policy: policy, now: clock, pinned: pinned)
  }

  /// Deletes what the plan deletes.
  ///
  /// What may not be deleted (a missing permission, an object lock) is in the outcome, and the
  /// rest is done. Before anything of a database goes, what the plan keeps as its newest whole
  /// backup is looked for once more.
  public func run(
    _ plan: RetentionPlan, progress: (RetentionPlan.Line) -> Void = { _ in }
  ) throws -> Outcome {
    try confirmKept(plan)
    var outcome = Outcome()
    // They cost nothing: what may not be deleted stays.
    try? repository.store.delete(plan.stalePins.map(\.key))
    for line in plan.deletions {
      try cancellation.check()
      do {
        switch line.subject {
        case .backup(let entry):
          // Somebody may have begun to read it since the plan was made.
          guard try !isRead(entry.names, plan.now) else {
            outcome.refused.append(
              Refusal(line: line, reason: "a restore has begun to read it", isExpected: true))
            continue
          }
          guard try delete(entry, plan.now) else {
            outcome.refused.append(
              Refusal(
                line: line,
                reason: "a restore had just begun to read it: its data goes with a later prune",
                isExpected: true))
            continue
          }
        case .leftover(let leftover):
          guard try !isRead(leftover.names, plan.now) else {
            outcome.refused.append(
              Refusal(line: line, reason: "a restore still reads it", isExpected: true))
            continue
          }
          guard try delete(leftover) else {
            outcome.refused.append(
              Refusal(
                line: line, reason: "it has a manifest by now: it has become a backup",
                isExpected: true))
            continue
          }
        }
        outcome.deleted.append(line)
        progress(line)
      } catch let error as ObjectStoreError where error.code == .denied || error.code == .retained {
        outcome.refused.append(
          Refusal(
            line: line, reason: error.description, isExpected: error.code == .retained))
      }
    }
    return outcome
  }

  private func isRead(_ names: BackupNames, _ now: UTCTime) throws -> Bool {
    try ReadingMark.isHeld(Pin.prefix(of: names), in: repository.store, at: now)
  }

  /// False when somebody saw the manifest just before it went, and reads on.
  private func delete(_ entry: CatalogEntry, _ now: UTCTime) throws -> Bool {
    try repository.store.delete(entry.names.manifestKey)
    // A reader leaves its mark before it looks for the manifest.
    guard try !isRead(entry.names, now) else { return false }
    try repository.store.delete([
      entry.names.dataKey(encrypted: false), entry.names.dataKey(encrypted: true),
    ])
    // What was found about it is of no use any more.
    var proofs: [String] = []
    try repository.store.list(prefix: Proof.prefix(of: entry.names)) { proofs.append($0.key) }
    if !proofs.isEmpty { try repository.store.delete(proofs) }
    return true
  }

  /// False when it is none any more.
  private func delete(_ leftover: Leftover) throws -> Bool {
    guard try repository.store.info(leftover.names.manifestKey) == nil else { return false }
    switch leftover.kind {
    case .object: try repository.store.delete(leftover.key)
    case .unfinishedWrite(let write): try repository.store.discard(write)
    }
    return true
  }

  private func confirmKept(_ plan: RetentionPlan) throws {
    var kept: [String: CatalogEntry] = [:]
    for line in plan.lines where !line.isDeleted {
      if case .backup(let entry) = line.subject, entry.isWhole { kept[entry.database] = entry }
    }
    let touched = Set(
      plan.deletions.compactMap { line -> String? in
        if case .backup(let entry) = line.subject { return entry.database }
        return nil
      })
    for database in touched.sorted() {
      guard let entry = kept[database], case .complete(let manifest) = entry.state,
        let key = entry.dataKey,
        try repository.store.info(entry.names.manifestKey) != nil,
        try repository.store.info(key)?.size == manifest.object.size
      else {
        throw RepositoryError(
          .damaged,
          "the newest backup of \(database) that the plan keeps is not in "
            + "\(repository.store.description) any more: nothing is deleted")
      }
    }
  }
}
