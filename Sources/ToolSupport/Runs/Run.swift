public import ByteStream
import Glibc
public import Logging
import Synchronization

/// What one run of a command works with: settings, logs, output, and the wish to stop.
public final class Run: Sendable {
  /// The command's full name, such as `backup run`.
  public let command: String
  /// One for each run; stands in all its logs.
  public let requestID: String
  public let configuration: Configuration
  /// `ENVIRONMENT`, or `default`.
  public let environmentName: String
  public let logger: Logger
  public let logFormat: LogFormat
  public let console: Console
  /// Cancelled by SIGINT and SIGTERM. Pass it to everything that waits.
  public let cancellation: Cancellation
  /// `--quiet`.
  public let isQuiet: Bool
  /// `--json`: standard output holds one JSON value and nothing else.
  public let isJSON: Bool

  private let jsonIsPrinted = Mutex(false)
  private let facts = Mutex<[JSONValue.Member]>([])

  init(
    command: String, service: String, options: OutputOptions, isJSON: Bool,
    environment: Environment, console: Console, cancellation: Cancellation
  ) throws {
    configuration = Configuration(environment)
    configuration.register(secretsWith: console.redactor)
    for argument in CommandLine.arguments { console.redactor.add(passwordsOf: argument) }
    self.command = command
    self.console = console
    self.cancellation = cancellation
    self.isJSON = isJSON
    isQuiet = options.quiet
    requestID = Self.newRequestID()
    environmentName = try configuration.environmentName(flag: options.environment)
    let format = try configuration.logFormat(
      flag: options.logFormat, isTerminal: console.isTerminal)
    logFormat = format
    let level = try configuration.logLevel(quiet: options.quiet)
    let origin = ConsoleLogHandler.Origin(
      service: service, environment: environmentName, requestID: requestID)
    logger = Logger(label: service) { _ in
      ConsoleLogHandler(console: console, format: format, origin: origin, logLevel: level)
    }
  }

  /// Prints a result for a person: left out when `--json` or `--quiet` was given. `text` brings
  /// its own line ends.
  public func say(_ text: String) {
    if !isJSON && !isQuiet { console.output(text) }
  }

  /// Prints what was asked for: as JSON when `--json` was given, else `text`.
  public func show(json: @autoclosure () -> JSONValue, text: @autoclosure () -> String) {
    if isJSON { printJSON(json()) } else { console.output(text()) }
  }

  /// Prints what a command has done: as JSON when `--json` was given, else `text` unless
  /// `--quiet` was.
  public func conclude(json: @autoclosure () -> JSONValue, text: @autoclosure () -> String) {
    if isJSON { printJSON(json()) } else { say(text()) }
  }

  /// Prints the run's one JSON value on standard output; a second one would make it unreadable,
  /// and is left out.
  func printJSON(_ value: JSONValue) {
    guard
      jsonIsPrinted.withLock({ isPrinted in
        defer { isPrinted = true }
        return !isPrinted
      })
    else { return }
    console.output(value.pretty + "\n")
  }

  /// Notes a fact of this run for the closing log record, the metrics and the alerts: bytes,
  /// tables, the backup's ID. A later one of the same name replaces it.
  public func note(_ name: String, _ value: JSONValue) {
    facts.withLock { facts in
      facts.removeAll { $0.name == name }
      facts.append(.init(name, value))
    }
  }

  /// The facts noted so far, in the order noted.
  var notedFacts: [JSONValue.Member] { facts.withLock { $0 } }

  /// 32 hexadecimal digits, as Sentry's event IDs have.
  private static func newRequestID() -> String {
    (0..<2).map { _ in
      let hex = String(UInt64.random(in: .min ... .max), radix: 16)
      return String(repeating: "0", count: 16 - hex.count) + hex
    }.joined()
  }
}
