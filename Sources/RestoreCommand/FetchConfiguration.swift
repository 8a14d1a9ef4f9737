import Age
import ByteStream
import FoundationEssentials
import Glibc
import ObjectStore
import PhysicalBackup
import ToolSupport

/// What `restore wal-fetch` needs to find the archive: a file that only its owner reads, since it
/// holds the store's keys.
struct FetchConfiguration: Codable {
  var format = 1
  var environment: String
  var systemIdentifier: String
  /// Whether there was any WAL in the store.
  var hasArchive: Bool
  /// The environment variables that say where the store is and who we are.
  var settings: [String: String]
  /// The secret keys of encrypted WAL.
  var identities: [String]?

  init(
    environment: String, systemIdentifier: String, hasArchive: Bool, settings: [String: String],
    identities: [String]
  ) {
    self.environment = environment
    self.systemIdentifier = systemIdentifier
    self.hasArchive = hasArchive
    self.settings = settings
    self.identities = identities.isEmpty ? nil : identities
  }

  init(readingFile path: String) throws {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else {
      throw ErrorReport.configuration("\(path) cannot be read.")
    }
    self = try JSONDecoder().decode(FetchConfiguration.self, from: data)
  }

  var encoded: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      return Array(try encoder.encode(self))
    }
  }

  func openStore(_ cancellation: Cancellation) throws -> any ObjectStore {
    SealedStore(
      try StoreConfiguration.fromEnvironment(settings).open(cancellation: cancellation),
      identities: try (identities ?? []).map { try AgeIdentity($0) })
  }

  /// The variables of `environment` that a store is opened by.
  static func settings(_ environment: Environment, _ options: StoreOptions) -> [String: String] {
    // HOME is where AWS's shared files are.
    let names = [
      "HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    ]
    let prefixes = ["BACKUP_S", "AWS_", "SCW_", "CELLAR_", "CLOUD_REGION"]
    var settings = environment.values.filter { name, value in
      !value.isEmpty && (names.contains(name) || prefixes.contains { name.hasPrefix($0) })
    }
    if let store = options.store { settings["BACKUP_STORE"] = store }
    if let endpoint = options.s3Endpoint { settings["BACKUP_S3_ENDPOINT"] = endpoint }
    if let region = options.s3Region { settings["BACKUP_S3_REGION"] = region }
    return settings
  }
}

/// A line on standard error, for PostgreSQL's log.
enum Diagnostics {
  static func write(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = Glibc.write(2, bytes, bytes.count)
  }
}
