public import ArgumentParser
public import Migrations
import Postgres
import ToolSupport

/// Where the migration files are.
struct FilesOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder with the migration files.", valueName: "folder"))
  var dir = "migrations"
}

/// For commands that change the database.
struct LockOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long to wait for another run to end: 30s, 10min.", valueName: "time"))
  var lockWait = TimeOption(milliseconds: 600_000)

  @Option(
    help: ArgumentHelp(
      "How long a statement may wait for a table before all is undone and tried again.",
      valueName: "time"))
  var lockTimeout = TimeOption(milliseconds: 5_000)

  @Option(
    help: ArgumentHelp("For how long to try again when a table is locked.", valueName: "time"))
  var lockRetry = TimeOption(milliseconds: 600_000)

  @Option(
    help: ArgumentHelp(
      "How long CREATE INDEX CONCURRENTLY may wait for a backup that runs.", valueName: "time"))
  var waitForBackup = TimeOption(milliseconds: 7_200_000)
}

/// A length of time such as `500ms`, `30s`, `10min` or `1h`.
struct TimeOption: ExpressibleByArgument, CustomStringConvertible {
  let milliseconds: Int

  init(milliseconds: Int) { self.milliseconds = milliseconds }

  init?(argument: String) {
    guard let milliseconds = TimeText.milliseconds(argument) else { return nil }
    self.milliseconds = milliseconds
  }

  var description: String {
    if milliseconds.isMultiple(of: 60_000) { return "\(milliseconds / 60_000)min" }
    return milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
  }

  var defaultValueDescription: String { description }
}

/// A number of bytes such as `500MB` or `20GB`, in powers of 1000.
struct SizeOption: ExpressibleByArgument, CustomStringConvertible {
  private static let units = ["B", "kB", "MB", "GB", "TB"]
  let bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), number > 0 else { return nil }
    let unit = argument.dropFirst(digits.count)
    guard let power = Self.units.firstIndex(where: { $0.lowercased() == unit.lowercased() }) else {
      return nil
    }
    var bytes = number
    for _ in 0..<power {
      let (product, isTooLarge) = bytes.multipliedReportingOverflow(by: 1000)
      guard !isTooLarge else { return nil }
      bytes = product
    }
    self.bytes = bytes
  }

  var description: String {
    var (value, power) = (bytes, 0)
    while value >= 1000, value.isMultiple(of: 1000), power < Self.units.count - 1 {
      value /= 1000
      power += 1
    }
    return "\(value)\(Self.units[power])"
  }

  var defaultValueDescription: String { description }
}

extension MigratorOptions.OutOfOrder: ExpressibleByArgument {}

extension MigrationVersion: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension Run {
  /// The library's entry, set up from this run's options.
  func migrator(
    _ database: DatabaseOptions, lock: LockOptions? = nil,
    outOfOrder: MigratorOptions.OutOfOrder = .refuse, searchPath: [String]? = nil,
    _ change: (inout MigratorOptions, ConnectionTarget) throws -> Void = { _, _ in }
  ) throws -> Migrator.Blocking {
    var options = MigratorOptions(toolVersion: ToolVersion.current)
    options.outOfOrder = outOfOrder
    options.searchPath = searchPath
    options.variable = { [environment = configuration.environment] in environment[$0] }
    if let lock {
      options.lockWait = .milliseconds(lock.lockWait.milliseconds)
      options.lockTimeout = .milliseconds(lock.lockTimeout.milliseconds)
      options.lockRetry = .milliseconds(lock.lockRetry.milliseconds)
      options.waitForBackup = .milliseconds(lock.waitForBackup.milliseconds)
    }
    let target = try configuration.database(flag: database.databaseUrl)
    try change(&options, target)
    return Migrator(target, options, cancellation: cancellation) { event in
      EventPrinter.show(event, self)
    }.blocking
  }
}
