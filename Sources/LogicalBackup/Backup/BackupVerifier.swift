public import ByteStream
import Crypto
import ObjectStore
public import Repository

/// Reads a stored backup back and checks it against its manifest and its own index, without a
/// database: the object's SHA-256, every member's checksum, every table's rows and hashes.
///
/// Reads the object twice. Blocks the calling thread.
public struct BackupVerifier: Sendable {
  private let repository: BackupRepository
  private let cancellation: Cancellation

  public init(_ repository: BackupRepository, cancellation: Cancellation) {
    self.repository = repository
    self.cancellation = cancellation
  }

  /// Verifies a backup and stores the proof, passed or failed.
  ///
  /// - Parameter tool: the version of the tool, for the proof.
  /// - Throws: what reading or storing throws; damage is not thrown, but in the proof.
  public func verify(_ manifest: Manifest, tool: String) throws -> Proof {
    let started = ContinuousClock.now
    var findings: [String] = []
    let key = manifest.names.dataKey(encrypted: false)
    let digest = try Digest(.sha256)
    var bytes = 0
    try repository.store.read(key, range: nil, cancellation: cancellation) { piece in
      try digest.update(piece)
      bytes += piece.count
    }
    let sha256 = Hex.encode(try digest.finish())
    if sha256 != manifest.object.sha256 {
      findings.append("The SHA-256 is \(sha256); \(manifest.object.sha256) was written.")
    }
    do { try checkMembers(key, manifest) } catch let error as LogicalBackupError {
      guard [.damaged, .truncated, .notABackup].contains(error.code) else { throw error }
      findings.append(error.message)
    }
    let proof = Proof(
      of: manifest.names, kind: .read, time: .now(), tool: tool, passed: findings.isEmpty,
      findings: findings, tables: manifest.tables.count, rows: manifest.rows, bytes: bytes,
      seconds: (ContinuousClock.now - started) / .seconds(1), sha256: sha256)
    try repository.writeProof(proof)
    return proof
  }

  private func checkMembers(_ key: String, _ manifest: Manifest) throws {
    let file = LogicalFileReader(
      key, size: manifest.object.size, in: repository.store, cancellation: cancellation)
    let index = try file.readIndex()
    let tables = Dictionary(index.tables.map { ($0.number, $0) }) { first, _ in first }
    let reader = MemberReader(file)
    let text = Block(capacity: 4 << 20)
    var rows = 0
    try index.forEachMember { member in
      try cancellation.check()
      try reader.read(member, into: text)
      if member.kind == .data, let table = member.table.flatMap({ tables[$0] }) {
        _ = try reader.rows(of: member, table, in: text)
        rows += member.rows
      }
    }
    guard rows == manifest.rows, index.tables.count == manifest.tables.count else {
      throw LogicalBackupError(
        .damaged,
        "The manifest tells of \(manifest.rows) rows in \(manifest.tables.count) tables, the file "
          + "holds \(rows) in \(index.tables.count).", object: key)
    }
  }
}
