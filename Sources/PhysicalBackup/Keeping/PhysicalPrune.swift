public import ByteStream
public import ObjectStore
import Repository

/// Makes and carries out the retention plans of the clusters of an environment.
///
/// A base backup's manifest goes first, then its archives, and WAL only after all base backups
/// that needed it, from the oldest on: whoever stops in between leaves a shorter archive, never
/// one with a gap.
public struct PhysicalPrune: Sendable {
  public struct Outcome: Sendable {
    public var deleted: [PhysicalRetentionPlan.Line] = []
    /// What is still there, with the reason in words.
    public var refused: [Refusal] = []
    /// Bytes.
    public var freed: Int { deleted.reduce(0) { $0 + $1.bytes } }

    public init() {}
  }

  public struct Refusal: Sendable {
    public let line: PhysicalRetentionPlan.Line
    public let reason: String
    /// Whether it is as it should be: somebody has begun to read it, and a later prune sees to it.
    public let isExpected: Bool
  }

  /// Objects in one request.
  private static let batch = 500

  public let store: any ObjectStore
  public let environment: String
  private let cancellation: Cancellation

  public init(
    _ store: any ObjectStore, environment: String, cancellation: Cancellation = Cancellation()
  ) {
    self.store = store
    self.environment = environment
    self.cancellation = cancellation
  }

  /// A plan for each cluster.
  ///
  /// - Parameters:
  ///   - days: see ``PhysicalRetentionPlan``.
  ///   - hostTime: this host's clock, which must agree with the store's to the hour.
  public func plan(days: Int, hostTime: UTCTime = .now()) throws -> [PhysicalRetentionPlan] {
    let clusters = try PhysicalCatalog.clusters(in: store, environment: environment)
    guard !clusters.isEmpty else { return [] }
    let now = try store.clock()
    guard abs(now.seconds(since: hostTime)) <= Double(RetentionPlan.clockTolerance) else {
      throw RepositoryError(
        .clock,
        "this host's clock (\(hostTime)) and that of \(store.description) (\(now)) differ by more "
          + "than an hour: nothing is deleted before they agree")
    }
    return try clusters.map { cluster in
      try PhysicalRetentionPlan(
        PhysicalInventory(
          store, environment: environment, systemIdentifier: cluster, cancellation: cancellation),
        days: days, now: now)
    }
  }

  /// Deletes what a plan deletes, once the base backups that it keeps were looked for again. What
  /// somebody has begun to read since the plan was made stays, and what would have gone after it.
  public func run(
    _ plan: PhysicalRetentionPlan, progress: (PhysicalRetentionPlan.Line) -> Void = { _ in }
  ) throws -> Outcome {
    var outcome = Outcome()
    // They cost nothing: what may not be deleted stays.
    try? store.delete(plan.staleMarks.map(\.mark.key))
    guard !plan.deletions.isEmpty else { return outcome }
    try confirmKept(plan)
    for line in plan.deletions {
      do {
        guard try delete(line, plan) else {
          outcome.refused.append(
            Refusal(line: line, reason: "somebody has begun to read it", isExpected: true))
          break
        }
        outcome.deleted.append(line)
        progress(line)
      } catch let error as ObjectStoreError where error.code == .denied || error.code == .retained {
        outcome.refused.append(
          Refusal(line: line, reason: error.description, isExpected: false))
        // WAL that a base backup needs stays while that is still there.
        if line.kind == .base { break }
      }
    }
    return outcome
  }

  /// False when somebody reads it.
  private func delete(
    _ line: PhysicalRetentionPlan.Line, _ plan: PhysicalRetentionPlan
  ) throws -> Bool {
    guard try !isRead(line, plan) else { return false }
    if let write = line.write { try store.discard(write) }
    var rest = line.keys[...]
    if line.kind == .base, let manifest = rest.popFirst() {
      try store.delete(manifest)
      // A reader leaves its mark before it looks for the manifest.
      guard try !isRead(line, plan) else { return false }
    }
    while !rest.isEmpty {
      try cancellation.check()
      try store.delete(Array(rest.prefix(Self.batch)))
      rest = rest.dropFirst(Self.batch)
      guard try rest.isEmpty || !isRead(line, plan) else { return false }
    }
    return true
  }

  /// Whether a mark is there of somebody who reads everything, or that base backup. What interrupted
  /// runs left has no readers.
  private func isRead(
    _ line: PhysicalRetentionPlan.Line, _ plan: PhysicalRetentionPlan
  ) throws -> Bool {
    guard line.kind == .base || line.kind == .wal else { return false }
    let layout = ClusterLayout(
      environment: environment, systemIdentifier: plan.systemIdentifier)
    if try ReadingMark.isHeld(layout.markPrefix(nil), in: store, at: plan.now) { return true }
    guard line.kind == .base, let id = BackupID(line.name) else { return false }
    return try ReadingMark.isHeld(layout.markPrefix(id), in: store, at: plan.now)
  }

  private func confirmKept(_ plan: PhysicalRetentionPlan) throws {
    let layout = ClusterLayout(
      environment: environment, systemIdentifier: plan.systemIdentifier)
    for base in plan.kept {
      var isThere = try store.info(layout.manifestKey(base.id)) != nil
      for object in base.archives + [base.index, base.serverManifest, base.settings] {
        let size = try store.info(object.key)?.size ?? -1
        isThere = isThere && (base.encryption == nil ? size == object.size : size > object.size)
      }
      guard isThere else {
        throw PhysicalBackupError(
          .damaged,
          "the base backup \(base.id), which the plan keeps, is not whole in "
            + "\(store.description): nothing of cluster \(plan.systemIdentifier) is deleted")
      }
    }
  }
}
