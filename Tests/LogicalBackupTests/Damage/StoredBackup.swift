import Age
import ByteStream
import Crypto
import Foundation
import Gzip
import LogicalBackup
import ObjectStore
import Postgres
import Repository
import TestSupport

/// A directory store with two backups of one database, and the ways to change what lies in it.
final class StoredBackup {
  let directory: TestDirectory
  let repository: BackupRepository
  /// The one that is damaged.
  let names: BackupNames
  /// Another one of the same database.
  let other: BackupNames
  let isEncrypted: Bool
  let identity: AgeIdentity
  let recipient: AgeRecipient

  /// Takes the backups.
  init(of database: TemporaryDatabase, encrypted: Bool) throws {
    directory = try TestDirectory()
    repository = BackupRepository(try DirectoryStore(path: directory.path))
    let (identity, recipient) = try Self.key()
    (self.identity, self.recipient) = (identity, recipient)
    isEncrypted = encrypted
    var options = BackupTaker.Options(tool: "test")
    options.recipients = encrypted ? [recipient] : []
    options.jobs = 1
    let taker = BackupTaker(
      try ConnectionTarget(database.url), into: repository, options, cancellation: Cancellation())
    names = try taker.take().names
    other = try taker.take().names
  }

  private static func key() throws -> (AgeIdentity, AgeRecipient) {
    let identity = try AgeIdentity.generate()
    guard let recipient = try identity.recipient() else {
      throw TestSupportError("a key without a recipient")
    }
    return (identity, recipient)
  }

  private init(copying base: StoredBackup) throws {
    directory = try TestDirectory()
    try FileManager.default.removeItem(atPath: directory.path)
    try FileManager.default.copyItem(atPath: base.directory.path, toPath: directory.path)
    repository = BackupRepository(try DirectoryStore(path: directory.path))
    (names, other, isEncrypted, identity, recipient) =
      (base.names, base.other, base.isEncrypted, base.identity, base.recipient)
  }

  func copy() throws -> StoredBackup { try StoredBackup(copying: self) }

  var dataKey: String { names.dataKey(encrypted: isEncrypted) }
  var otherDataKey: String { other.dataKey(encrypted: isEncrypted) }

  // MARK: What a person is told

  /// What is wrong with the backup, as `backup verify` finds it; nil when nothing is.
  func problem(with identities: [AgeIdentity]? = nil) throws -> String? {
    do {
      let entry = try repository.catalog().resolve("\(names.id)")
      guard case .complete(let manifest) = entry.state else { return entry.problem }
      let proof = try BackupVerifier(
        repository, identities: identities ?? [identity], tool: "test",
        cancellation: Cancellation()
      ).verify(manifest)
      return proof.passed ? nil : proof.findings.joined(separator: " ")
    } catch let error as RepositoryError {
      return error.description
    } catch let error as LogicalBackupError where error.code == .newerFormat {
      return error.description
    } catch let error as AgeError where error.code == .wrongKey {
      return error.description
    }
  }

  // MARK: Changing it

  /// Changes the stored object, and nothing else.
  func edit(_ body: (inout [UInt8]) throws -> Void) throws {
    var bytes = try directory.read(dataKey)
    try body(&bytes)
    try directory.write(bytes, to: dataKey)
  }

  /// Changes the manifest's text.
  func editManifest(_ body: (inout String) -> Void) throws {
    var text = String(decoding: try directory.read(names.manifestKey), as: UTF8.self)
    body(&text)
    try directory.write(text, to: names.manifestKey)
  }

  /// Changes the manifest's values.
  func changeManifest(_ body: (inout Manifest) -> Void) throws {
    var manifest = try Manifest(decoding: directory.read(names.manifestKey))
    body(&manifest)
    try directory.write(manifest.encoded(), to: names.manifestKey)
  }

  /// Makes the manifest agree with the object's size and SHA-256, so that only what lies deeper
  /// can show the damage.
  func seal() throws {
    let bytes = try directory.read(dataKey)
    let digest = try Digest(.sha256)
    try digest.update(bytes)
    let hash = Hex.encode(try digest.finish())
    try changeManifest {
      $0.object.size = bytes.count
      $0.object.sha256 = hash
    }
  }

  /// Changes the gzip chain inside the object, encrypts it again, and makes the manifest agree.
  func editPlain(_ body: (inout [UInt8], LogicalIndex) throws -> Void) throws {
    let file = try LogicalFileReader(path: directory.file(dataKey)).decrypted(with: [identity])
    var bytes: [UInt8] = []
    try file.read(0..<file.size) { bytes += $0 }
    try body(&bytes, try file.readIndex())
    let sink = MemorySink()
    if isEncrypted {
      let age = try AgeSink(to: [recipient], into: sink)
      try bytes.withUnsafeBytes { try age.write($0) }
      try age.finish()
      bytes = sink.bytes
    }
    try directory.write(bytes, to: dataKey)
    try seal()
  }

  /// Changes the text of the index, keeping its place.
  func editIndex(_ body: (inout String) -> Void) throws {
    try editPlain { bytes, index in
      let end = bytes.count - EndMember.length
      let packed = Array(bytes[index.offset..<end])
      var text = try Command.run("/bin/gunzip", ["-c"], input: packed).text
      body(&text)
      let again = try Command.run("/bin/gzip", ["-nc"], input: Array(text.utf8)).output
      bytes.replaceSubrange(index.offset..<end, with: again)
    }
  }
}
