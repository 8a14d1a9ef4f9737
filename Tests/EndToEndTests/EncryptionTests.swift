import Foundation
import TestSupport
import Testing

/// Backups that only the owner of a secret key can read.
@Suite struct EncryptionTests {
  @Test func backUpWithThePublicKeyRestoreWithTheSecretOne() throws {
    let bench = try Bench(rows: 3000)
    let keys = try TestDirectory()
    let made = try bench.backup("keygen", keys.file("key"), "--json")
    made.expectSuccess()
    let recipient = try #require(try made.json()["public_key"] as? String)
    let attributes = try FileManager.default.attributesOfItem(atPath: keys.file("key"))
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(try bench.backup("keygen", keys.file("key")).code == 1)

    let backup = bench.backup.with(["BACKUP_AGE_RECIPIENTS": recipient])
    try backup("run").expectSuccess()
    let file = try bench.newestFile() + ".age"
    #expect(FileManager.default.fileExists(atPath: file))

    // Without the key, and with another one.
    let without = try bench.restore("latest")
    #expect(without.code == 8)
    #expect(without.errorText.contains("BACKUP_AGE_IDENTITY_FILE"))
    try bench.backup("keygen", keys.file("other")).expectSuccess()
    #expect(try bench.restore("latest", "--identity", keys.file("other")).code == 8)
    #expect(try bench.restore("latest", "--identity", keys.file("missing")).code == 8)

    // Debian's age and psql's own way, then ours.
    let plain = try Command.run(
      "/bin/sh", ["-c", "age -d -i \(keys.file("key")) \(file) | gunzip | grep -c 'COPY '"])
    #expect(plain.exitCode == 0, "\(plain.errorText)")
    let restore = try bench.restore("latest", "--verify", "--identity", keys.file("key"), "--json")
    restore.expectSuccess()
    #expect(try restore.json()["verified"] as? Bool == true)
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    // And through a pipe, of which no range can be read.
    let piped = try Command.run(
      "/bin/sh",
      [
        "-c",
        "cat \(file) | \(BuiltExecutable.restore) - --replace --identity \(keys.file("key"))",
      ], environment: bench.restore.environment)
    #expect(piped.exitCode == 0, "\(piped.errorText)")
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    try bench.expectNoSecretInStore()
  }

  @Test func aDamagedEncryptedBackupIsRefused() throws {
    let bench = try Bench(rows: 3000)
    let keys = try TestDirectory()
    let made = try bench.backup("keygen", keys.file("key"), "--json")
    let recipient = try #require(try made.json()["public_key"] as? String)
    try bench.backup("run", "--recipient", recipient).expectSuccess()
    let file = try bench.newestFile() + ".age"
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
    bytes[bytes.count / 2] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    let restore = try bench.restore("latest", "--identity", keys.file("key"))
    #expect(restore.code == 4)
    #expect(restore.errorText.contains("chunk"))
  }

  @Test func aWrongRecipientIsAUsageError() throws {
    let bench = try Bench(rows: 1)
    #expect(try bench.backup("run", "--recipient", "AGE-SECRET-KEY-1X").code == 2)
    #expect(try bench.backup.with(["BACKUP_AGE_RECIPIENTS": "# none"])("run").code == 2)
  }
}
