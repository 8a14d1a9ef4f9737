public import ArgumentParser

/// For commands that read backups which may be encrypted.
public struct OpeningOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A file with the age secret key of an encrypted backup (BACKUP_AGE_IDENTITY_FILE).",
      valueName: "file"))
  public var identity: String?

  @Option(
    help: ArgumentHelp(
      "A file whose first line is the passphrase of an encrypted backup (BACKUP_PASSPHRASE_FILE, "
        + "BACKUP_PASSPHRASE).", valueName: "file"))
  public var passphraseFile: String?

  public init() {}
}
