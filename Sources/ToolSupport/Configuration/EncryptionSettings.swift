public import Age
import Glibc

extension Configuration {
  /// The public keys of `--recipient`, else of `BACKUP_AGE_RECIPIENTS`; none when neither is given.
  private func ageKeys(recipients flags: [String]) throws -> [AgeRecipient] {
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

  /// Whom a logical backup is encrypted to: public keys, or one passphrase.
  ///
  /// A flag of one kind goes before the environment's other kind; two of the same rank are an error.
  ///
  /// - Parameters:
  ///   - flags: those of `--recipient`.
  ///   - passphraseFile: that of `--passphrase-file`.
  public func ageRecipients(
    flags: [String], passphraseFile: String?
  ) throws -> [AgeRecipient] {
    let variables = ["BACKUP_PASSPHRASE_FILE", "BACKUP_PASSPHRASE"]
    let hasKeys = environment["BACKUP_AGE_RECIPIENTS"] != nil
    guard flags.isEmpty || passphraseFile == nil else {
      throw ErrorReport.usage(
        "--recipient and --passphrase-file exclude each other: a passphrase stands alone.")
    }
    if flags.isEmpty, passphraseFile == nil, hasKeys, let other = environment.first(of: variables) {
      throw ErrorReport.usage(
        "BACKUP_AGE_RECIPIENTS and \(other.name) are both set: a passphrase stands alone. Unset "
          + "one of them for this command.")
    }
    if flags.isEmpty, let passphrase = try passphrase(flag: passphraseFile) {
      return [.passphrase(passphrase, logN: AgeRecipient.defaultLogN)]
    }
    return try ageKeys(recipients: flags)
  }

  /// Whom base backups and WAL are encrypted to: public keys only, since a passphrase costs a second
  /// for each of their many objects.
  public func ageRecipients(flags: [String]) throws -> [AgeRecipient] {
    let keys = try ageKeys(recipients: flags)
    if keys.isEmpty,
      let (name, _) = environment.first(
        of: ["BACKUP_PASSPHRASE_FILE", "BACKUP_PASSPHRASE"])
    {
      throw ErrorReport.usage(
        "\(name) is set, and base backups and WAL are encrypted to public keys only: set "
          + "BACKUP_AGE_RECIPIENTS (backup keygen makes a key), or unset \(name).")
    }
    return keys
  }

  /// What opens encrypted backups: the secret keys, and the passphrase.
  public func ageIdentities(_ options: OpeningOptions) throws -> [AgeIdentity] {
    let keys = try ageKeys(flag: options.identity)
    let passphrase = try passphrase(flag: options.passphraseFile).map { AgeIdentity.passphrase($0) }
    return keys + [passphrase].compactMap { $0 }
  }

  /// The first line of a file, or what the environment holds.
  private func passphrase(flag: String?) throws -> String? {
    let file = setting(flag, "--passphrase-file", ["BACKUP_PASSPHRASE_FILE"])
    guard let (name, path) = file else {
      guard let text = environment["BACKUP_PASSPHRASE"] else { return nil }
      guard !text.isEmpty else {
        throw ErrorReport.usage("BACKUP_PASSPHRASE is set and empty.")
      }
      return text
    }
    guard let text = Self.smallFile(path) else {
      throw ErrorReport.configuration(
        "\(name): the file \(path) cannot be read: \(String(cString: strerror(errno))).")
    }
    let line = text.prefix { !$0.isNewline }
    guard !line.isEmpty else {
      throw ErrorReport.usage("\(name): the first line of \(path) is empty.")
    }
    return String(line)
  }

  /// The secret keys in the file of `--identity`, else of `BACKUP_AGE_IDENTITY_FILE`.
  public func ageKeys(flag: String?) throws -> [AgeIdentity] {
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
