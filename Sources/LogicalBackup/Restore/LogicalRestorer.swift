public import Age
public import ByteStream
import Gzip
public import Postgres

/// Restores a logical backup into a database: pgkeep's own files, by their index and with several
/// connections, and plain dumps of pg_dump's, gzipped or not.
///
/// Until all is restored, and verified where that is asked for, nothing is to be seen under the
/// database's name (or, with ``RestoreMode/intoEmpty``, the database is marked). Calls block.
public struct LogicalRestorer: Sendable {
  private let target: ConnectionTarget
  private let options: RestoreOptions
  private let cancellation: Cancellation

  /// - Parameter target: names the server, the role and the database to restore into.
  public init(
    _ target: ConnectionTarget, _ options: RestoreOptions, cancellation: Cancellation
  ) {
    self.target = target
    self.options = options
    self.cancellation = cancellation
  }

  /// Restores a file that can be read by ranges.
  ///
  /// - Throws: ``LogicalBackupError``, `PostgresError`, or what reading the file throws. What was
  ///   made is then removed, or marked as what it is.
  public func restore(_ file: LogicalFileReader) throws -> RestoreReport {
    let started = ContinuousClock.now
    switch try file.kind() {
    case .pgkeep:
      let index = try file.readIndex()
      try PartialBackup(index.facts).check(options, file.name)
      let selection = try RestoreSelection(options)
      if options.omitsSchema { return try restoreRows(file, index, selection, started) }
      return try attempt { keep in
        let run = try makeRun(
          index.facts.traits, file.name, index.facts.encoding, started, keep)
        let tables = try IndexedRestore(run, file, index, selection).restore()
        return (run, options.omitsData ? [] : tables)
      }
    case .gzip: return try restoreScript(GzipReader(file.stream()), file.name, started)
    case .plain: return try restoreScript(file.stream(), file.name, started)
    case .encrypted: throw Self.encrypted(file.name)
    case .customArchive, .tarArchive: throw Self.archive(file.name)
    }
  }

  /// Restores what comes through a pipe, from its beginning to its end, with one connection.
  ///
  /// - Parameter identities: what opens it, when it is encrypted.
  public func restore(
    _ source: any ByteSource, name: String, identities: [AgeIdentity] = []
  ) throws -> RestoreReport {
    let started = ContinuousClock.now
    let peeked = try PeekedSource(source, count: LogicalFileKind.prefixLength)
    switch LogicalFileKind(prefix: peeked.prefix) {
    case .pgkeep, .gzip: return try restoreScript(GzipReader(peeked), name, started)
    case .plain: return try restoreScript(peeked, name, started)
    case .encrypted:
      guard !identities.isEmpty else { throw Self.encrypted(name) }
      return try restore(AgeSource(peeked, identities: identities), name: name)
    case .customArchive, .tarArchive: throw Self.archive(name)
    }
  }

  /// Rows alone, into tables that are there.
  private func restoreRows(
    _ file: LogicalFileReader, _ index: LogicalIndex, _ selection: RestoreSelection?,
    _ started: ContinuousClock.Instant
  ) throws -> RestoreReport {
    guard options.mode == .new, !options.omitsData else {
      throw LogicalBackupError(
        .invalidRequest,
        "Rows alone go into a database that has its tables already: not with --replace, "
          + "--into-empty or --schema-only.")
    }
    let run = RestoreRun(
      ExistingDatabase(target), database: target.database ?? "", name: file.name,
      encoding: index.facts.encoding, options: options, started: started,
      cancellation: cancellation)
    let restore = try DataOnlyRestore(run, file, index, selection)
    _ = try restore.restore()
    if options.analyzes {
      try run.begin(.analyze)
      try Analysis(run).run()
    }
    run.end()
    return run.currentReport
  }

  private func restoreScript(
    _ source: any ByteSource, _ name: String, _ started: ContinuousClock.Instant
  ) throws -> RestoreReport {
    guard options.tables.isEmpty, options.schemas.isEmpty, !options.omitsSchema else {
      throw LogicalBackupError(
        .invalidRequest,
        "Of \(name), a part cannot be restored: that takes one of pgkeep's own files, with its index "
          + "and not through a pipe. Restore all of it into a new database.", object: name)
    }
    return try attempt { keep in
      try ScriptRestore(name: name, options) { traits, encoding in
        try makeRun(traits, name, encoding, started, keep)
      }.restore(source)
    }
  }

  // MARK: The frame

  /// Where the target goes as soon as there is one, for the cleaning after a failure.
  private final class Keeper {
    var target: (any RestoreTarget)?
  }

  private func makeRun(
    _ traits: DatabaseTraits, _ name: String, _ encoding: String,
    _ started: ContinuousClock.Instant, _ keeper: Keeper
  ) throws -> RestoreRun {
    var traits = traits
    if let locale = options.locale { traits.locale = locale }
    let made = try DatabaseMaker.make(
      target, mode: options.mode, traits: traits, cancellation: cancellation)
    keeper.target = made
    return RestoreRun(
      made, database: target.database ?? "", name: name, encoding: encoding, options: options,
      started: started, cancellation: cancellation)
  }

  /// Runs `fill`, then what follows in every restore; after a failure removes what was made.
  ///
  /// - Parameter fill: gives the run, and the tables to verify.
  private func attempt(
    _ fill: (Keeper) throws -> (RestoreRun, [TableRecord])
  ) throws -> RestoreReport {
    let keeper = Keeper()
    do {
      let (run, tables) = try fill(keeper)
      if options.analyzes {
        try run.begin(.analyze)
        try Analysis(run).run()
      }
      if options.verifies { try verify(run, tables) }
      try run.begin(.completion)
      if options.mode == .scratch {
        keeper.target?.abandon()
      } else {
        try keeper.target?.complete()
      }
      run.end()
      let notes = keeper.target?.notes ?? []
      run.report { $0.notes = notes + $0.notes }
      return run.currentReport
    } catch {
      keeper.target?.abandon()
      throw error
    }
  }

  private func verify(_ run: RestoreRun, _ tables: [TableRecord]) throws {
    guard !tables.isEmpty else {
      return run.report {
        $0.notes.append(
          "Nothing was verified beyond the number of rows that the server took: the dump holds no "
            + "hashes.")
      }
    }
    try run.begin(.verification, totalSteps: tables.count)
    let verifier = TableVerifier(
      run.connectionTarget, jobs: options.jobs, cancellation: cancellation)
    let differing = try verifier.mismatches(tables)
    guard differing.isEmpty else {
      let list = differing.prefix(10).map { "  \($0)" }.joined(separator: "\n")
      throw LogicalBackupError(
        .verificationFailed,
        "\(differing.count) tables of \(run.name) are not as they were backed up:\n\(list)",
        object: run.name)
    }
    run.report { $0.isVerified = true }
  }

  private static func encrypted(_ name: String) -> LogicalBackupError {
    LogicalBackupError(
      .notABackup,
      "\(name) is encrypted with age. Give the identity that it is encrypted to.", object: name)
  }

  private static func archive(_ name: String) -> LogicalBackupError {
    LogicalBackupError(
      .notABackup,
      "\(name) is an archive of pg_dump's (custom or tar format), which only pg_restore reads. "
        + "Turn it into a plain dump with `pg_restore -f dump.sql \(name)`, and restore that.",
      object: name)
  }
}

extension BackupFacts {
  /// What the database has to be made like.
  var traits: DatabaseTraits {
    var traits = DatabaseTraits(
      encoding: encoding,
      locale: DatabaseTraits.Locale(
        provider: .init(rawValue: localeProvider) ?? .libc, collate: collate, ctype: ctype,
        name: locale, icuRules: icuRules),
      owner: owner)
    traits.hasSettings = hasDatabaseSettings
    return traits
  }
}
