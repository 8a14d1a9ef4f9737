public import ByteStream
import FoundationEssentials
public import PhysicalBackup
public import Postgres

/// A cluster that is recovered next door, only to be read: in a folder of its own, on a Unix socket
/// that only its owner reaches, with nothing that would touch the world outside.
public struct ClusterCopy: Sendable {
  public struct Options: Sendable {
    /// Where it goes: a folder that is made and removed again. The whole cluster has to fit.
    public var directory: String
    /// What PostgreSQL runs for each segment of WAL.
    public var restoreCommand: String
    /// The folder with `pg_ctl`, of the cluster's major version.
    public var binaries: String
    /// Who runs the server, when this process is root.
    public var owner: String?
    /// Roles to log in as, the first that there is; one that may read everything.
    public var roles: [String]
    public var jobs = 2
    /// More settings for the server, as `name=value`.
    public var settings: [String] = []

    public init(
      directory: String, restoreCommand: String, binaries: String, roles: [String] = ["postgres"]
    ) {
      self.directory = directory
      self.restoreCommand = restoreCommand
      self.binaries = binaries
      self.roles = roles
    }
  }

  private let options: Options
  private let cancellation: Cancellation

  public init(_ options: Options, cancellation: Cancellation) {
    self.options = options
    self.cancellation = cancellation
  }

  /// Recovers the cluster, gives `body` a way into it, and removes it, whatever happened.
  ///
  /// - Parameters:
  ///   - onPhase: told what is being done.
  ///   - onBytes: told of bytes as they are unpacked, from any thread.
  public func with<Result>(
    _ catalog: PhysicalCatalog, _ plan: RecoveryPlan, onPhase: (String) -> Void = { _ in },
    onBytes: @escaping @Sendable (Int) -> Void = { _ in },
    _ body: (ConnectionTarget) throws -> Result
  ) throws -> Result {
    let directory = options.directory
    try ClusterRestore.makePrivateDirectory(directory, owner: options.owner)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var restore = ClusterRestore.Options(
      dataDirectory: directory + "/data", restoreCommand: options.restoreCommand)
    restore.owner = options.owner
    restore.jobs = options.jobs
    restore.syncs = false
    for tablespace in plan.base.tablespaces {
      restore.tablespaces[tablespace.location] = directory + "/tablespace-" + tablespace.oid
    }
    // Everybody who is on the socket gets in, and only the owner reaches it.
    try ClusterRestore.writePrivate(
      directory + "/pg_hba.conf", Array("local all all trust\n".utf8), owner: options.owner)
    _ = try ClusterRestore(catalog, options: restore).run(
      plan, cancellation: cancellation, onPhase: onPhase, onBytes: onBytes)
    var server = RecoveryServer(
      binaries: options.binaries, dataDirectory: directory + "/data",
      logFile: directory + "/server.log")
    server.owner = options.owner
    server.settings = settings(directory)
    onPhase("recover")
    defer { try? server.kill() }
    _ = try server.recover(to: .promote, cancellation: cancellation)
    return try body(try target(directory))
  }

  /// Nothing that the original did by itself goes on here: jobs, subscriptions, archiving, loaded
  /// libraries that may not be installed on this machine.
  private func settings(_ directory: String) -> [String] {
    [
      "listen_addresses=", "unix_socket_directories=\(directory)", "port=5432",
      "unix_socket_permissions=0700", "hba_file=\(directory)/pg_hba.conf", "ssl=off",
      "shared_preload_libraries=", "archive_mode=off", "synchronous_standby_names=",
      "max_logical_replication_workers=0", "autovacuum=off", "fsync=off", "full_page_writes=off",
      "logging_collector=off", "log_destination=stderr", "external_pid_file=", "huge_pages=off",
    ] + options.settings
  }

  private func target(_ directory: String) throws -> ConnectionTarget {
    var last: (any Error)?
    for role in options.roles {
      let target = try ConnectionTarget(
        "postgresql:///template1?port=5432&host=" + Self.encoded(directory) + "&user="
          + Self.encoded(role))
      do {
        try Connection(
          target, ConnectionOptions(applicationName: "pgkeep copy"), cancellation: cancellation
        ).close()
        return target
      } catch { last = error }
    }
    throw RecoveryError(
      .temporaryServer,
      "the temporary server has none of the roles \(options.roles.joined(separator: ", ")); name "
        + "one that may read everything with --superuser", cause: last)
  }

  private static func encoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
        || (0x61...0x7A).contains(byte) || byte == 0x5F || byte == 0x2D || byte == 0x2E
      if isPlain {
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        encoded += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
      }
    }
    return encoded
  }
}
