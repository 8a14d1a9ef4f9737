import ByteStream
import ObjectStore
import PhysicalBackup
import Postgres
import Repository

/// The checks of what the store holds of one database.
final class BackupCheckup {
  private let database: String?
  let environment: String
  let options: Doctor.Options
  let list: Checklist
  /// Bytes of the newest whole backup.
  private(set) var newestSize: Int?

  init(database: String?, environment: String, _ options: Doctor.Options, _ list: Checklist) {
    self.database = database
    self.environment = environment
    self.options = options
    self.list = list
  }

  func examine(_ store: (any ObjectStore)?, _ server: ServerFacts?) throws {
    try checkEncryption()
    guard let store, let database else { return try checkOverlap(server, []) }
    let (environment, stop) = (environment, list.cancellation)
    let catalog: BackupCatalog
    let now: UTCTime
    do {
      (catalog, now) = try list.bounded {
        let repository = BackupRepository(store, environment: environment)
        return (try repository.catalog(database: database, cancellation: stop), try store.clock())
      }
    } catch {
      try list.cancellation.check()
      list.add(
        "backup.newest",
        .failure("the backups cannot be listed: \(error)", "See the findings about the storage."))
      return try checkOverlap(server, [])
    }
    let whole = catalog.entries.filter(\.isWhole)
    newestSize = whole.last?.bytes
    let walAge = try checkWAL(store, server, now)
    try checkNewest(whole.last, catalog, now, walAge)
    try checkProof(whole, now)
    try checkDrill(store, server, now)
    try checkRetention(catalog, now)
    try checkOverlap(server, whole.compactMap(\.manifest))
  }

  private func checkEncryption() throws {
    try list.check("backup.encryption", advice: "") {
      guard options.recipients > 0 else {
        return .warning(
          "backups are not encrypted: whoever can read the store can read the data",
          "Make a key with \"backup keygen\", set BACKUP_AGE_RECIPIENTS to its public half, and "
            + "keep the secret half apart from this host and the store.")
      }
      return .ok(
        "backups are encrypted to \(options.recipients) age "
          + (options.recipients == 1 ? "key" : "keys"))
    }
  }

  private func checkNewest(
    _ newest: CatalogEntry?, _ catalog: BackupCatalog, _ now: UTCTime, _ walAge: Double?
  ) throws {
    try list.check("backup.newest", advice: "") {
      let promised = options.recoveryPoint / .seconds(1)
      let limit = "at most \(Wording.duration(promised)) may be lost"
      guard let newest, let manifest = newest.manifest else {
        if let walAge, walAge <= promised {
          return .ok("there is no logical backup, but a base backup and WAL; \(limit)")
        }
        let broken = catalog.entries.last.flatMap(\.problem).map { "; the newest: \($0)" } ?? ""
        return .failure(
          "there is no whole backup of \(database ?? "") in \(catalog.place)\(broken)",
          "Run \"backup run\" now, and let cron or systemd run it each night.")
      }
      let age = now.seconds(since: manifest.started)
      let words = "the newest backup, \(newest.id), was begun \(Wording.duration(age)) ago"
      if age <= promised || walAge.map({ $0 <= promised }) == true { return .ok(words) }
      return .failure(
        "\(words), and \(limit)",
        "Look why \"backup run\" did not succeed since: its log, its timer, METRICS_DIRECTORY.")
    }
  }

  /// Seconds that would be lost with the server now, going by the WAL in the store; nil when there
  /// is no archive of this server.
  private func checkWAL(
    _ store: any ObjectStore, _ server: ServerFacts?, _ now: UTCTime
  ) throws -> Double? {
    guard let server, let identifier = server.systemIdentifier else { return nil }
    guard list.wants("backup.wal") || list.wants("backup.newest") else { return nil }
    let layout = ClusterLayout(environment: environment, systemIdentifier: identifier)
    var lost: Double?
    let advice = "Look whether \"backup wal\" runs, and into its log."
    do {
      let (newest, hasBase) = try list.bounded { () -> (UTCTime?, Bool) in
        var newest: UTCTime?
        try store.list(prefix: layout.walPrefix) {
          newest = max(newest ?? $0.modified, $0.modified)
        }
        guard newest != nil else { return (nil, false) }
        let bases = try store.list(prefix: layout.basePrefix)
        return (newest, bases.contains { layout.base(ofManifest: $0.key) != nil })
      }
      guard let newest else { return nil }
      guard hasBase else {
        list.add(
          "backup.wal",
          .warning("there is WAL in the store, but no base backup", "Run \"backup base\" now."))
        return nil
      }
      let (environment, stop) = (environment, list.cancellation)
      let end = try list.bounded {
        // Under the names that encrypted WAL would have unencrypted; no key is needed for that.
        let catalog = try PhysicalCatalog(
          SealedStore(store), environment: environment, systemIdentifier: identifier, points: .none,
          cancellation: stop)
        return catalog.timelines.compactMap { catalog.wal?.end(timeline: $0) }.max()
      }
      let isUpToDate = end.map { end in server.walPosition.map { end >= $0 } == true } == true
      let age = isUpToDate ? 0 : now.seconds(since: newest)
      lost = age
      let words =
        isUpToDate
        ? "all of the server's WAL is in the store"
        : "the newest WAL in the store is \(Wording.duration(age)) old"
      list.add(
        "backup.wal",
        age > options.recoveryPoint / .seconds(1)
          ? .failure(words, advice) : age > 300 ? .warning(words, advice) : .ok(words))
    } catch {
      try list.cancellation.check()
      list.add("backup.wal", .failure("the WAL in the store cannot be examined: \(error)", advice))
    }
    return lost
  }
}
