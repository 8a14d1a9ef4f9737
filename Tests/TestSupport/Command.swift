import Glibc

/// Runs programs as a user would, and gives back what they wrote.
public enum Command {
  /// Starts a program and gives it back at once.
  ///
  /// The program dies with this process, and leads a process group of its own.
  ///
  /// - Parameters:
  ///   - executable: a path, or a name that is looked up in `PATH`.
  ///   - input: the whole of its standard input.
  ///   - environment: added to `cleanEnvironment`.
  ///   - directory: where it runs; this process's own by default.
  ///   - asPostgres: as user `postgres` when this process is root.
  public static func start(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment: [String: String] = [:], directory: String? = nil, asPostgres: Bool = false
  ) throws -> RunningCommand {
    try RunningCommand(
      ChildProcess(
        executable: executable, arguments: arguments,
        environment: cleanEnvironment.merging(environment) { $1 },
        directory: directory, asPostgres: asPostgres),
      input: input)
  }

  /// Runs a program to its end, whatever its exit code. See `start` for the parameters.
  ///
  /// - Throws: `TestSupportError` when it cannot be started, or has not ended after `timeout`: it is
  ///   then killed.
  public static func run(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment: [String: String] = [:], directory: String? = nil, asPostgres: Bool = false,
    timeout: Duration = .seconds(120)
  ) throws -> CommandResult {
    try start(
      executable, arguments, input: input, environment: environment, directory: directory,
      asPostgres: asPostgres
    ).wait(timeout: timeout)
  }

  /// Runs a program that must exit with 0, and gives back its result.
  ///
  /// - Throws: `TestSupportError` with its error output when it does not.
  @discardableResult
  public static func check(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment: [String: String] = [:], directory: String? = nil, asPostgres: Bool = false,
    timeout: Duration = .seconds(120)
  ) throws -> CommandResult {
    let result = try run(
      executable, arguments, input: input, environment: environment, directory: directory,
      asPostgres: asPostgres, timeout: timeout)
    guard result.ending == .exited(0) else {
      throw TestSupportError(
        """
        \(result.ending): \(([executable] + arguments).joined(separator: " "))
        \(result.text.suffix(2000))\(result.errorText.suffix(4000))
        """)
    }
    return result
  }

  /// This process's environment without what pgkeep, libpq or an S3 client would read from it, so
  /// that a test's outcome does not hang on who runs it.
  public static let cleanEnvironment: [String: String] = {
    var result: [String: String] = [:]
    var entry = environ
    while let pointer = entry.pointee {
      let text = String(cString: pointer)
      entry += 1
      guard let equals = text.firstIndex(of: "=") else { continue }
      let name = String(text[..<equals])
      let read =
        ["PG", "BACKUP_", "RESTORE_", "AWS_", "SCW_", "S3_", "SENTRY_"]
        .contains { name.hasPrefix($0) } && !name.hasPrefix("PGKEEP_TEST")
        || [
          "DATABASE_URL", "CLOUD_REGION", "ENVIRONMENT", "LOG_LEVEL", "LOG_FORMAT", "HEARTBEAT_URL",
          "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy",
        ].contains(name)
      if !read { result[name] = String(text[text.index(after: equals)...]) }
    }
    return result
  }()
}
