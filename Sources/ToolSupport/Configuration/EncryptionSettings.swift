public import Age
import Glibc

extension Configuration {
  /// Whom backups are encrypted to: `--recipient`, else `BACKUP_AGE_RECIPIENTS`; nobody when
  /// neither is given.
  public func ageRecipients(flags: [String]) throws -> [AgeRecipient] {
    let name = flags.isEmpty ? "BACKUP_AGE_RECIPIENTS" : "--recipient"
    let text =
      flags.isEmpty ? environment["BACKUP_AGE_RECIPIENTS"] : flags.joined(separator: ",")
    guard let text else { return [] }
    let recipients: [AgeRecipient]
    do { recipients = try AgeRecipient.list(text) } catch let error as AgeError {
      throw ErrorReport.usage("\(name): \(error.message).")
    }
    // Set and empty: somebody wanted encryption, and would get none.
    guard !recipients.isEmpty else {
      throw ErrorReport.usage("\(name) holds no age public key (age1…).")
    }
    return recipients
  }

  /// What opens encrypted backups: the file of `--identity`, else `BACKUP_AGE_IDENTITY_FILE`.
  public func ageIdentities(flag: String?) throws -> [AgeIdentity] {
    guard let (name, path) = setting(flag, "--identity", ["BACKUP_AGE_IDENTITY_FILE"]) else {
      return []
    }
    guard let text = Self.smallFile(path) else {
      throw ErrorReport.configuration(
        "\(name): the identity file \(path) cannot be read: \(String(cString: strerror(errno))).")
    }
    do { return try AgeIdentity.list(file: text) } catch let error as AgeError {
      throw ErrorReport.usage("\(name): \(path): \(error.message).")
    }
  }

  /// A text file of at most 64 KiB; nil, with `errno`, when it cannot be read.
  private static func smallFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { return nil }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}
