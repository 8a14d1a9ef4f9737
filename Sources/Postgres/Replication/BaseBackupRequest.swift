/// The options of a `BASE_BACKUP` command in the form of version 15.
public struct BaseBackupRequest: Hashable, Sendable {
  public enum Checkpoint: String, Hashable, Sendable {
    /// The checkpoint that the backup begins with is done at once.
    case fast
    /// It takes its time, to spare the server's disks.
    case spread
  }

  public var label: String
  public var checkpoint = Checkpoint.fast
  /// Whether the archive holds the WAL that the backup needs to become consistent.
  public var includesWAL = false
  /// Kilobytes a second that the server sends at most, 32 to 1,048,576; nil for no limit.
  public var maxRate: Int?
  /// Whether the server checks the checksums of the pages that it reads.
  public var verifiesChecksums = true
  /// Whether the server sends its estimate and its progress.
  public var reportsProgress = true
  /// Whether only what changed since the uploaded manifest is sent (17 and later).
  public var isIncremental = false

  public init(label: String) { self.label = label }

  /// The command.
  public var command: SQLText {
    var options: [SQLText] = [
      "LABEL \(SQLText(label).quotedLiteralForReplication)",
      "CHECKPOINT '\(checkpoint.rawValue)'",
      "PROGRESS \(reportsProgress ? "true" : "false")",
      "WAL \(includesWAL ? "true" : "false")",
      "WAIT true",
      "TABLESPACE_MAP true",
      "VERIFY_CHECKSUMS \(verifiesChecksums ? "true" : "false")",
      "MANIFEST 'yes'",
      "MANIFEST_CHECKSUMS 'SHA256'",
    ]
    if let maxRate { options.append("MAX_RATE \(maxRate)") }
    if isIncremental { options.append("INCREMENTAL true") }
    return "BASE_BACKUP (\(options.joined(separator: ", ")))"
  }
}

extension SQLText {
  /// The replication grammar knows `'…'` with doubled quotes only, and no backslashes.
  var quotedLiteralForReplication: SQLText {
    var quoted = SQLText(bytes: [UInt8(ascii: "'")])
    for byte in bytes {
      if byte == UInt8(ascii: "'") { quoted.bytes.append(byte) }
      quoted.bytes.append(byte)
    }
    quoted.bytes.append(UInt8(ascii: "'"))
    return quoted
  }

  /// A name for the replication grammar: always in double quotes.
  var quotedForReplication: SQLText {
    var quoted = SQLText(bytes: [UInt8(ascii: "\"")])
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { quoted.bytes.append(byte) }
      quoted.bytes.append(byte)
    }
    quoted.bytes.append(UInt8(ascii: "\""))
    return quoted
  }
}
