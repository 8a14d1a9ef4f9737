extension StoreConfiguration {
  /// Reads the configuration from environment variables: docs/storage.md lists them.
  ///
  /// - Throws: ``ObjectStoreError/Code/invalidLocation`` for a value of a wrong form, with the
  ///   variable's name.
  public static func fromEnvironment(_ environment: [String: String]) throws -> Self {
    let values = Variables(environment)
    var configuration = StoreConfiguration()
    configuration.location = try values["BACKUP_STORE"].map { try StoreLocation($0) }
    let vendor: Vendor
    do {
      vendor = try Vendor(values)
      configuration.credentials = vendor.credentials
    } catch let problem as ObjectStoreError {
      // A directory needs none: it matters when a bucket is opened.
      vendor = Vendor()
      configuration.problem = problem
    }
    var s3 = S3Settings(
      endpoint: vendor.endpoint,
      region: values.first("BACKUP_S3_REGION", "CLOUD_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
      pathStyle: try values.bool("BACKUP_S3_PATH_STYLE"))
    if vendor.isScaleway, s3.endpoint == nil {
      s3.region = s3.region ?? "fr-par"
      s3.endpoint = "https://s3.\(s3.region ?? "").scw.cloud"
    }
    if let size = try values.int("BACKUP_S3_PART_SIZE", PartPlan.smallest...PartPlan.largest) {
      s3.partSize = size
    }
    s3.partCap = try values.int("BACKUP_S3_PART_CAP", 1...10_000)
    if let uploads = try values.int("BACKUP_S3_UPLOADS", 1...64) { s3.uploads = uploads }
    if let downloads = try values.int("BACKUP_S3_DOWNLOADS", 1...64) { s3.downloads = downloads }
    if let folder = values["BACKUP_SPOOL_DIRECTORY"] ?? values["TMPDIR"] {
      s3.spoolDirectory = folder
    }
    if let wanted = try values.bool("BACKUP_S3_CONTENT_MD5") { s3.contentMD5 = wanted }
    s3.storageClass = values["BACKUP_S3_STORAGE_CLASS"]
    s3.serverSideEncryption = values["BACKUP_S3_SSE"]
    s3.kmsKey = values["BACKUP_S3_SSE_KMS_KEY_ID"]
    s3.lockDays = try values.int("BACKUP_S3_LOCK_DAYS", 1...36_500)
    if let mode = values["BACKUP_S3_LOCK_MODE"] {
      guard ["GOVERNANCE", "COMPLIANCE"].contains(mode) else {
        throw Variables.wrong("BACKUP_S3_LOCK_MODE", mode, "GOVERNANCE or COMPLIANCE")
      }
      s3.lockMode = mode
    }
    if let seconds = try values.int("BACKUP_S3_DEADLINE", 1...86_400) {
      s3.deadline = Double(seconds)
    }
    if let seconds = try values.int("BACKUP_S3_STALL_TIMEOUT", 1...3600) {
      s3.stallTimeout = Double(seconds)
    }
    s3.caFile = values["AWS_CA_BUNDLE"]
    configuration.s3 = s3
    configuration.lookup = CredentialsLookup(
      values, isAWS: s3.endpoint?.contains(".amazonaws.com") != false, region: s3.region,
      caFile: s3.caFile)
    return configuration
  }
}

/// Whose names for key and endpoint are set. One vendor's key never goes to another's endpoint
/// because both happen to be set: an endpoint that names its vendor chooses the key.
private struct Vendor {
  let credentials: Credentials?
  let endpoint: String?
  let isScaleway: Bool

  /// Nobody's.
  init() { (credentials, endpoint, isScaleway) = (nil, nil, false) }

  init(_ values: Variables) throws {
    let endpoint = values.first("BACKUP_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    let aws = try values.credentials(
      "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", token: "AWS_SESSION_TOKEN")
    let scaleway = try values.credentials("SCW_ACCESS_KEY", "SCW_SECRET_KEY")
    let cellar = try values.credentials("CELLAR_ADDON_KEY_ID", "CELLAR_ADDON_KEY_SECRET")
    let cellarHost = values["CELLAR_ADDON_HOST"]
    if let scaleway, endpoint?.contains(".scw.cloud") == true || (aws == nil && endpoint == nil) {
      (credentials, isScaleway) = (scaleway, true)
      self.endpoint = endpoint
    } else if let cellar, let cellarHost,
      endpoint.map({ $0.contains(cellarHost) }) ?? (aws == nil)
    {
      (credentials, isScaleway) = (cellar, false)
      self.endpoint = endpoint ?? "https://\(cellarHost)"
    } else {
      credentials = aws ?? scaleway ?? cellar
      isScaleway = false
      self.endpoint = endpoint
    }
  }
}

/// Environment variables; an empty one counts as unset.
struct Variables {
  private let environment: [String: String]

  init(_ environment: [String: String]) { self.environment = environment }

  subscript(_ name: String) -> String? {
    guard let value = environment[name]?.trimmingBlanks(), !value.isEmpty else { return nil }
    return value
  }

  func first(_ names: String...) -> String? {
    for name in names { if let value = self[name] { return value } }
    return nil
  }

  /// A key that is given outright; nil when neither half of it is set.
  func credentials(_ key: String, _ secret: String, token: String? = nil) throws -> Credentials? {
    guard let accessKey = self[key], let secretKey = self[secret] else {
      // Half a key is a mistake: another key found elsewhere would hide it.
      guard self[key] == nil && self[secret] == nil else {
        let (set, unset) = self[key] == nil ? (secret, key) : (key, secret)
        throw ObjectStoreError.credentials("\(set) is set, and \(unset) is not")
      }
      return nil
    }
    return Credentials(
      accessKey: accessKey, secretKey: secretKey, sessionToken: token.flatMap { self[$0] })
  }

  func bool(_ name: String) throws -> Bool? {
    guard let value = self[name] else { return nil }
    switch value.lowercased() {
    case "1", "true", "yes", "on": return true
    case "0", "false", "no", "off": return false
    default: throw Self.wrong(name, value, "true or false")
    }
  }

  /// A number, with `k`, `M` or `G` (or `MiB` and so on) for powers of 1,024.
  func int(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let value = self[name] else { return nil }
    let digits = value.prefix { ("0"..."9").contains($0) }
    let shift: Int? =
      switch value.dropFirst(digits.count).lowercased().trimmingBlanks() {
      case "": 0
      case "k", "kb", "kib": 10
      case "m", "mb", "mib": 20
      case "g", "gb", "gib": 30
      default: nil
      }
    guard let shift, let number = Int(digits), number <= Int.max >> shift,
      range.contains(number << shift)
    else {
      throw Self.wrong(name, value, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number << shift
  }

  static func wrong(_ name: String, _ value: String, _ expected: String) -> ObjectStoreError {
    ObjectStoreError(.invalidLocation, "\(name) is \"\(value)\"; it should be \(expected)")
  }
}
