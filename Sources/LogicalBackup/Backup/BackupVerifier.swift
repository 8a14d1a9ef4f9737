public import Age
public import ByteStream
import ObjectStore
public import Postgres
public import Repository

/// Reads stored backups back and stores what it found as proofs. Calls block.
public struct BackupVerifier: Sendable {
  private let repository: BackupRepository
  private let identities: [AgeIdentity]
  private let tool: String
  private let cancellation: Cancellation

  /// - Parameters:
  ///   - identities: what opens encrypted backups, tried in order.
  ///   - tool: the version of the tool, for the proofs.
  public init(
    _ repository: BackupRepository, identities: [AgeIdentity] = [], tool: String,
    cancellation: Cancellation
  ) {
    self.repository = repository
    self.identities = identities
    self.tool = tool
    self.cancellation = cancellation
  }

  /// Checks a backup without a database: the object's SHA-256, what the index and the manifest
  /// tell of each table, every member's checksum, and every table's rows and hashes. Reads the
  /// object once, and its index once more.
  ///
  /// - Returns: the proof, which is in the store. Damage is not thrown, but in the proof.
  /// - Throws: what reading or storing throws; `AgeError` of code `wrongKey`;
  ///   ``LogicalBackupError`` of code `newerFormat`.
  public func verify(_ manifest: Manifest) throws -> Proof {
    let started = ContinuousClock.now
    let object = object(of: manifest)
    let findings = try findings(object, manifest)
    return try store(.read, manifest, findings, started, sha256: object.sha256)
  }

  private func object(of manifest: Manifest) -> StoredObject {
    StoredObject(
      manifest.names.dataKey(encrypted: manifest.object.encryption != nil),
      size: manifest.object.size, in: repository.store, cancellation: cancellation)
  }

  private func findings(_ object: StoredObject, _ manifest: Manifest) throws -> [String] {
    var findings: [String] = []
    do {
      let file = try plain(object, manifest)
      let index = try file.readIndex()
      findings += Self.differences(index, manifest)
      object.hashNextRead()
      if let damage = try MemberPass(file, index, cancellation: cancellation).damage() {
        findings.append(damage)
      }
    } catch {
      guard let damage = Self.damage(error) else { throw error }
      findings.append(damage)
    }
    if object.sha256 == nil { try object.hashOnly() }
    let sha256 = object.sha256 ?? ""
    if sha256 != manifest.object.sha256 {
      findings.insert(
        "The object's SHA-256 is \(sha256); \(manifest.object.sha256) was written.", at: 0)
    }
    let strangers = try strangers(beside: manifest)
    if !strangers.isEmpty {
      findings.append(
        "Beside the backup lies what does not belong to it: "
          + strangers.joined(separator: ", ") + ".")
    }
    return findings
  }

  /// Checks a backup as ``verify(_:)`` does; when that finds nothing, restores it into a database
  /// of its own, ``scratchName``, compares every table with it, and drops it again, whatever
  /// comes of it.
  ///
  /// - Parameter options: `mode` and `verifies` are set here.
  /// - Returns: the proof, which is in the store. That it cannot be restored there, or that its
  ///   rows differ, is not thrown, but in the proof.
  /// - Throws: what has nothing to do with the backup: no connection, no right to make a database,
  ///   roles or extensions that the server lacks, a stop.
  public func verifyDeep(
    _ manifest: Manifest, on server: ConnectionTarget, _ options: RestoreOptions
  ) throws -> Proof {
    let started = ContinuousClock.now
    var options = options
    options.mode = .scratch
    options.verifies = true
    let object = object(of: manifest)
    var findings = try findings(object, manifest)
    if findings.isEmpty {
      do {
        _ = try LogicalRestorer(
          server.with(database: Self.scratchName), options, cancellation: cancellation
        ).restore(try plain(object, manifest))
      } catch {
        guard let damage = Self.damage(error) ?? Self.refusal(error) else { throw error }
        findings.append(damage)
      }
    }
    return try store(.deep, manifest, findings, started, sha256: object.sha256)
  }

  /// What the database of ``verifyDeep(_:on:_:)`` is called; while it is filled, a mark follows.
  public static let scratchName = "pgkeep_verify"

  // MARK: Parts

  private func plain(_ object: StoredObject, _ manifest: Manifest) throws -> LogicalFileReader {
    let file = object.file
    let isEncrypted = try file.kind() == .encrypted
    guard isEncrypted == (manifest.object.encryption != nil) else {
      throw LogicalBackupError(
        .damaged,
        "The manifest says that the object is \(isEncrypted ? "not " : "")encrypted, and it is"
          + "\(isEncrypted ? "" : " not").", object: object.key)
    }
    return try file.decrypted(with: identities)
  }

  /// Where the object's own index and the manifest do not tell the same.
  private static func differences(_ index: LogicalIndex, _ manifest: Manifest) -> [String] {
    guard index.facts.id == "\(manifest.id)" else {
      return ["The object holds another backup, \(index.facts.id)."]
    }
    let stored = index.tables.map(Manifest.Table.init)
    let known = Dictionary(manifest.tables.map { ([$0.schema, $0.name], $0) }) { first, _ in first }
    var findings: [String] = []
    for table in stored where known[[table.schema, table.name]] != table {
      findings.append(
        known[[table.schema, table.name]] == nil
          ? "The manifest does not tell of the table \(table.schema).\(table.name)."
          : "The manifest tells of other rows in \(table.schema).\(table.name) than the object.")
    }
    let missing = Set(known.keys).subtracting(stored.map { [$0.schema, $0.name] })
    findings += missing.map { "The object lacks the table \($0.joined(separator: "."))." }.sorted()
    guard findings.count > 10 else { return findings }
    return findings.prefix(10) + ["And \(findings.count - 10) more tables."]
  }

  /// Objects that begin with the backup's name and are neither its manifest nor its data.
  private func strangers(beside manifest: Manifest) throws -> [String] {
    let names = manifest.names
    let data = names.dataKey(encrypted: manifest.object.encryption != nil)
    let prefix = String(names.manifestKey.dropLast(".json".count))
    var found: [String] = []
    try repository.store.list(prefix: prefix) { info in
      if info.key != names.manifestKey, info.key != data, found.count < 10 {
        found.append(info.key)
      }
    }
    return found
  }

  /// The words for an error that says that the backup is damaged; nil for any other.
  private static func damage(_ error: any Error) -> String? {
    switch error {
    case let error as LogicalBackupError:
      [.damaged, .truncated, .notABackup, .verificationFailed].contains(error.code)
        ? error.message : nil
    case let error as AgeError:
      [.truncated, .chunkDamaged, .headerDamaged, .malformedHeader, .notAge].contains(error.code)
        ? "In the encryption: \(error.message)." : nil
    default: nil
    }
  }

  /// The words for a statement of the backup that the server refused.
  private static func refusal(_ error: any Error) -> String? {
    guard let error = error as? LogicalBackupError, error.code == .statementFailed else {
      return nil
    }
    return error.description
  }

  private func store(
    _ kind: Proof.Kind, _ manifest: Manifest, _ findings: [String],
    _ started: ContinuousClock.Instant, sha256: String?
  ) throws -> Proof {
    let proof = Proof(
      of: manifest.names, kind: kind, time: .now(), tool: tool, passed: findings.isEmpty,
      findings: findings, tables: manifest.tables.count, rows: manifest.rows,
      bytes: manifest.object.size, seconds: (ContinuousClock.now - started) / .seconds(1),
      sha256: sha256)
    try repository.writeProof(proof)
    return proof
  }
}
