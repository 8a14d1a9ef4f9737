import Age
import ArgumentParser
import Glibc
import ToolSupport

struct MakeKey: BackupToolCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen", abstract: "Make a key for encrypted backups.",
    discussion: """
      Writes the secret key to a new file that only you can read, and prints the public key. The \
      host that takes backups needs the public key only (BACKUP_AGE_RECIPIENTS); keep the file \
      away from it and from the store, in more than one place: without it no backup can be \
      restored. The program age reads both, too.

        backup keygen /root/pgkeep.key
      """)

  @Argument(help: "The file to make; it must not exist.")
  var file: String
  @OptionGroup var json: JSONOption
  @OptionGroup var output: OutputOptions

  var isJSON: Bool { json.json }

  func run(_ run: Run) throws {
    let identity = try AgeIdentity.generate()
    let recipient = try identity.recipient()?.text ?? ""
    try write("# public key: \(recipient)\n\(identity.secretText)\n")
    run.conclude(
      json: ["public_key": .string(recipient), "file": .string(file)],
      text: "Public key: \(recipient)\nThe secret key is in \(file).")
  }

  private func write(_ text: String) throws {
    func failure() -> ErrorReport {
      ErrorReport(
        .failed, code: "localFile",
        "The key file \(file) cannot be written: \(String(cString: strerror(errno))).")
    }
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      let report = failure()
      unlink(file)
      throw report
    }
  }
}
