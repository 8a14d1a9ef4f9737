import Glibc
public import Logging
public import ObjectStore
public import Postgres

/// The settings that commands share: flags over environment variables over defaults.
///
/// A value of a wrong form is a usage error that names the flag or variable; a setting that is
/// needed and missing is a configuration error that says how to give it.
public struct Configuration: Sendable {
  public let environment: Environment

  public init(_ environment: Environment) { self.environment = environment }

  // MARK: Databases

  /// The database to work on: `--database-url`, else `DATABASE_URL`.
  public func database(flag: String?) throws -> ConnectionTarget {
    try target(flag, "--database-url", variable: "DATABASE_URL", what: "the database to work on")
  }

  /// The database to restore into: `--to`, else `RESTORE_URL`.
  public func restoreTarget(flag: String?) throws -> ConnectionTarget {
    try target(flag, "--to", variable: "RESTORE_URL", what: "the database to restore into")
  }

  /// A server to make scratch databases on: `--scratch`, else that of `DATABASE_URL`.
  public func scratchServer(flag: String?) throws -> ConnectionTarget {
    try target(
      flag, "--scratch", variable: "DATABASE_URL", what: "the server for a scratch database")
  }

  private func target(
    _ flag: String?, _ flagName: String, variable: String, what: String
  ) throws -> ConnectionTarget {
    guard let (name, url) = setting(flag, flagName, [variable]) else {
      throw ErrorReport.configuration(
        "\(variable) is not set: it names \(what). Set it, or give \(flagName), in the form "
          + "postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
    }
    do { return try ConnectionTarget(url) } catch let error as PostgresError {
      throw ErrorReport.usage("\(name): \(error.message)")
    }
  }

  // MARK: The store

  /// Where backups are kept: `--store`, else `BACKUP_STORE`.
  public func storeLocation(flag: String?) throws -> StoreLocation {
    guard let (name, location) = setting(flag, "--store", ["BACKUP_STORE"]) else {
      throw ErrorReport.configuration(
        "BACKUP_STORE is not set: it says where backups are kept. Set it, or give --store, to "
          + "file:///var/backups/postgres or s3://BUCKET/PREFIX.")
    }
    do { return try StoreLocation(location) } catch let error as ObjectStoreError {
      throw ErrorReport.usage("\(name): \(error.message).")
    }
  }

  /// The days that backups are kept: `--keep-days`, else `BACKUP_RETENTION_DAYS`, else 30; else 0
  /// when something else says what to keep.
  public func retentionDays(flag: Int?, hasOtherRules: Bool = false) throws -> Int {
    try integer(flag, "--keep-days", "BACKUP_RETENTION_DAYS", in: 0...36_500)
      ?? (hasOtherRules ? 0 : 30)
  }

  /// The most that may be lost with the server: `--recovery-point`, else `BACKUP_RECOVERY_POINT`;
  /// a whole number with `s`, `m`, `h` or `d`. Nil when neither is given.
  public func recoveryPoint(flag: String?) throws -> Duration? {
    guard let (name, text) = setting(flag, "--recovery-point", ["BACKUP_RECOVERY_POINT"]) else {
      return nil
    }
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()),
      (1...1_000_000).contains(number)
    else {
      throw ErrorReport.usage("\(name): \"\(text)\" is not a time such as 26h, 30m or 2d.")
    }
    return .seconds(number * unit)
  }

  /// Connections at work at once: `--jobs`, else 4, or as many as there are cores if fewer.
  public func jobs(flag: Int?) throws -> Int {
    try integer(flag, "--jobs", nil, in: 1...64)
      ?? min(4, max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
  }

  // MARK: The run

  /// `--environment`, else `ENVIRONMENT`, else `default`: keeps databases of one name apart.
  public func environmentName(flag: String?) throws -> String {
    guard let (name, value) = setting(flag, "--environment", ["ENVIRONMENT"]) else {
      return "default"
    }
    let isPlain = value.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        || "._-".unicodeScalars.contains(scalar)
    }
    guard isPlain, !value.hasPrefix("."), value.utf8.count <= 63 else {
      throw ErrorReport.usage(
        "\(name): \"\(value)\" is not a name of up to 63 letters, digits, dots, underscores and "
          + "hyphens that does not begin with a dot.")
    }
    return value
  }

  /// `LOG_LEVEL`, else info; `--quiet` lets warnings and errors through.
  public func logLevel(quiet: Bool) throws -> Logger.Level {
    if quiet { return .warning }
    guard let text = environment["LOG_LEVEL"] else { return .info }
    switch text.lowercased() {
    case "warn": return .warning
    case "fatal": return .critical
    case let name:
      if let level = Logger.Level(rawValue: name) { return level }
    }
    throw ErrorReport.usage(
      "LOG_LEVEL: \"\(text)\" is none of trace, debug, info, notice, warning, error, critical.")
  }

  /// `--log-format`, else `LOG_FORMAT`, else text on a terminal and JSON elsewhere.
  public func logFormat(flag: LogFormat?, isTerminal: Bool) throws -> LogFormat {
    if let flag { return flag }
    guard let text = environment["LOG_FORMAT"] else { return isTerminal ? .text : .json }
    guard let format = LogFormat(rawValue: text.lowercased()) else {
      throw ErrorReport.usage("LOG_FORMAT: \"\(text)\" is neither text nor json.")
    }
    return format
  }

  // MARK: Reading

  /// The value of a flag or of the first variable that is set, with the name to blame.
  public func setting(
    _ flag: String?, _ flagName: String, _ variables: [String]
  ) -> (name: String, value: String)? {
    if let flag { return (flagName, flag) }
    return environment.first(of: variables)
  }

  /// A whole number from a flag or a variable.
  public func integer(
    _ flag: Int?, _ flagName: String, _ variable: String?, in range: ClosedRange<Int>
  ) throws -> Int? {
    let text = flag.map { String($0) } ?? variable.flatMap { environment[$0] }
    guard let text else { return nil }
    guard let number = Int(text), range.contains(number) else {
      let name = flag != nil ? flagName : variable ?? flagName
      throw ErrorReport.usage(
        "\(name): \"\(text)\" is not a whole number from \(range.lowerBound) to "
          + "\(range.upperBound).")
    }
    return number
  }

  /// Everything secret that the environment may hold.
  func register(secretsWith redactor: Redactor) {
    for name in ["DATABASE_URL", "RESTORE_URL"] {
      redactor.add(passwordsOf: environment[name])
    }
    for name in [
      "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SCW_SECRET_KEY",
      "CELLAR_ADDON_KEY_SECRET", "SENTRY_DSN", "HEARTBEAT_URL", "BACKUP_PASSPHRASE",
    ] {
      redactor.add(environment[name])
    }
  }
}
