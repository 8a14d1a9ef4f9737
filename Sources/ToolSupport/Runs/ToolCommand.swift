public import ArgumentParser

/// A command of one of the three executables: maps its options to a library call and renders
/// what comes back. What is around that is done for it: configuration of logs, signals, errors to
/// exit codes, metrics and alerts.
public protocol ToolCommand: ParsableCommand {
  /// The executable: `migrate`, `backup`, `restore`.
  static var service: String { get }
  /// Who is told how a run ended.
  static var alerts: Alerts { get }
  var output: OutputOptions { get }
  /// `--json`, where the command has it.
  var isJSON: Bool { get }

  /// Does the work, blocking this thread.
  func run(_ run: Run) throws
}

/// Who is told how a run of a command ended.
public enum Alerts: Sendable {
  /// Nobody: the command only shows things.
  case none
  /// Sentry, when it failed.
  case failures
  /// Sentry, when it failed; and the heartbeat, either way: its silence says that a run is
  /// missing.
  case heartbeat
}

extension ToolCommand {
  public static var alerts: Alerts { .none }
  public var isJSON: Bool { false }

  /// `backup run`.
  static var fullName: String {
    let name = configuration.commandName ?? _commandName
    return name == service ? name : "\(service) \(name)"
  }

  public func run() throws {
    let status = CommandRunner.run(self)
    if status != .done { throw ArgumentParser.ExitCode(status.rawValue) }
  }
}
