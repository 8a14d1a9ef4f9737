public import ArgumentParser

/// The flags that every command takes.
public struct OutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Form of log lines: text or json (LOG_FORMAT; text on a terminal).", valueName: "format"))
  public var logFormat: LogFormat?

  @Flag(name: [.customLong("quiet"), .customShort("q")], help: "Warnings and errors only.")
  public var quiet = false

  @Option(
    help: ArgumentHelp(
      "Keeps databases of one name apart (ENVIRONMENT; \"default\").", valueName: "name"))
  public var environment: String?

  public init() {}
}

/// For commands that return facts.
public struct JSONOption: ParsableArguments {
  @Flag(help: "Print the result as JSON.")
  public var json = false

  public init() {}
}

/// For commands that work on a database.
public struct DatabaseOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The database (DATABASE_URL, which keeps the password out of the process list).",
      valueName: "url"))
  public var databaseUrl: String?

  public init() {}
}

/// For commands that use the store.
public struct StoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where backups are: file:///PATH or s3://BUCKET/PREFIX (BACKUP_STORE).", valueName: "url"))
  public var store: String?

  @Option(
    help: ArgumentHelp("The S3 server (BACKUP_S3_ENDPOINT).", valueName: "url"))
  public var s3Endpoint: String?

  @Option(
    help: ArgumentHelp(
      "The S3 region (BACKUP_S3_REGION, CLOUD_REGION, AWS_REGION).", valueName: "name"))
  public var s3Region: String?

  public init() {}
}
