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

  @Test func backUpWithAPassphrase() throws {
    let bench = try Bench(rows: 300)
    let files = try TestDirectory()
    try files.write("correct horse battery\n", to: "phrase")
    try files.write("wrong horse battery\n", to: "wrong")
    let phrase = files.file("phrase")
    try bench.backup("run", "--passphrase-file", phrase).expectSuccess()
    let file = try bench.newestFile() + ".age"
    try bench.restore("latest").expectFailure(8, "--passphrase-file")
    try bench.restore("latest", "--passphrase-file", files.file("wrong"))
      .expectFailure(8, "The passphrase is not the one")
    try bench.backup.with(["BACKUP_PASSPHRASE": "correct horse battery"])("verify")
      .expectSuccess()
    let restore = bench.restore.with(["BACKUP_PASSPHRASE_FILE": phrase])
    try restore("latest", "--verify").expectSuccess()
    #expect(try bench.contents(of: bench.target) == bench.contents(of: bench.database.name))
    // Debian's age asks a terminal.
    let script = """
      import os, pty, sys
      pid, terminal = pty.fork()
      if pid == 0: os.execvp("age", ["age", "-d", "-o", sys.argv[2], sys.argv[1]])
      seen = b""
      while b"passphrase" not in seen: seen += os.read(terminal, 1000)
      os.write(terminal, b"correct horse battery\\n")
      try:
        while os.read(terminal, 1000): pass
      except OSError: pass
      sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
      """
    let opened = try Command.run("python3", ["-c", script, file, files.file("plain.gz")])
    #expect(opened.exitCode == 0, "\(opened.text)\(opened.errorText)")
    try Command.check("gzip", ["-t", files.file("plain.gz")])
  }

  @Test func aPassphraseStandsAlone() throws {
    let bench = try Bench(rows: 1)
    let files = try TestDirectory()
    try files.write("", to: "empty")
    let key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    let both = ["BACKUP_AGE_RECIPIENTS": key, "BACKUP_PASSPHRASE": "x"]
    try bench.backup.with(both)("run").expectFailure(2, "a passphrase stands alone")
    try bench.backup("run", "--recipient", key, "--passphrase-file", files.file("empty"))
      .expectFailure(2, "exclude each other")
    try bench.backup("run", "--passphrase-file", files.file("empty"))
      .expectFailure(2, "is empty")
    try bench.backup("run", "--passphrase-file", files.file("missing"))
      .expectFailure(8, "cannot be read")
    // Never unencrypted where somebody wanted encryption.
    try bench.backup.with(["BACKUP_PASSPHRASE": "x"])("base")
      .expectFailure(2, "public keys only")
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
