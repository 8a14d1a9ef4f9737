import Foundation
import Glibc
import Synchronization

/// A real PostgreSQL server with a new cluster of its own, for tests.
///
/// It listens on a free port of 127.0.0.1 and on a Unix socket, writes nothing durably (`fsync` is
/// off), and is gone with its files when the last reference to it goes, when the test process ends,
/// and also when that is killed. The superuser is `postgres`.
public final class TemporaryCluster: Sendable {
  /// The major version of the server.
  public let major: Int
  /// The TCP port on 127.0.0.1, and the number in the Unix socket's name.
  public let port: Int
  /// How it was made.
  public let options: ClusterOptions
  /// The folder with the programs of the same major version.
  public var binaries: String { installation.binaries }
  /// The data directory. It belongs to user `postgres` when the tests run as root.
  public var dataDirectory: String { directory.file("data") }
  /// The directory of the Unix socket.
  public var socketDirectory: String { directory.path }
  /// The server's log.
  public var logFile: String { directory.file("log") }
  /// With `tls`: the certificate file, for `sslrootcert`.
  public var certificate: String { directory.file("server.crt") }

  private let installation: PostgresInstallation
  private let directory: TestDirectory
  private let process = Mutex<ServerProcess?>(nil)

  /// Makes a cluster and starts its server; blocks until it accepts connections.
  public init(_ major: Int = 15, _ options: ClusterOptions = ClusterOptions()) throws {
    self.major = major
    self.options = options
    installation = try PostgresInstallation.of(major)
    directory = try TestDirectory()
    port = try LoopbackPort.free()
    try handOver(directory.path)
    try initialize()
    try start()
  }

  deinit {
    let running = process.withLock { $0 }
    running?.signal(SIGQUIT)
    try? running?.waitForEnd(timeout: .seconds(10))
  }

  /// The major versions that are installed here, in order.
  public static let installedMajors = PostgresInstallation.all.keys.sorted()

  private static let sharedClusters = [Int: SharedCluster](
    uniqueKeysWithValues: installedMajors.map { ($0, SharedCluster()) })

  /// The cluster of that major version that all tests of this process share, with databases of their
  /// own. It is started at its first use and stopped at the process's end. Tests that change what
  /// belongs to all of a cluster (roles' settings, the server's configuration) make their own.
  public static func shared(_ major: Int = 15) throws -> TemporaryCluster {
    guard let slot = sharedClusters[major] else {
      throw TestSupportError("PostgreSQL \(major) is not installed: run scripts/setup")
    }
    return try slot.get { try TemporaryCluster(major) }
  }

  /// Whether the server process runs.
  public var isRunning: Bool { process.withLock { $0?.isRunning ?? false } }
  /// The server's process id; nil when it was stopped.
  public var pid: Int32? { process.withLock { $0?.pid } }

  /// Starts the server again after `stop` or `crash`; blocks until it accepts connections.
  public func start() throws {
    let server = try ServerProcess(
      ChildProcess(
        executable: binaries + "/postgres", arguments: ["-D", dataDirectory],
        environment: Command.cleanEnvironment, directory: directory.path, asPostgres: true,
        signalAtParentsDeath: "QUIT"),
      log: logFile, quickStop: SIGQUIT)
    // The eighth line of the lock file says what the server is doing.
    let lockFile = dataDirectory + "/postmaster.pid"
    try server.waitUntil(timeout: .seconds(60)) {
      let data = FileManager.default.contents(atPath: lockFile) ?? Data()
      let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
      return lines.count >= 8 && lines[0] == "\(server.pid)" && lines[7].hasPrefix("ready")
    }
    process.withLock { $0 = server }
  }

  /// Stops the server as an operator does: sessions end, everything is written.
  public func stop() throws {
    guard let server = process.withLock({ $0 }) else { return }
    server.signal(SIGINT)
    try server.waitForEnd(timeout: .seconds(60))
    process.withLock { $0 = nil }
  }

  /// Lets the server crash: it stops at once and recovers from its WAL at the next start.
  public func crash() throws {
    guard let server = process.withLock({ $0 }) else { return }
    server.signal(SIGQUIT)
    try server.waitForEnd(timeout: .seconds(60))
    process.withLock { $0 = nil }
  }

  /// Lets the server read its configuration files again. Takes effect soon, not at once.
  public func reload() {
    process.withLock { $0?.signal(SIGHUP) }
  }

  // MARK: Addresses

  /// The address of a database over TCP, with the password when the cluster has one.
  public func url(
    _ database: String = "postgres", user: String = "postgres", password: String? = nil
  ) -> String {
    let password = password ?? (user == "postgres" ? options.password : nil)
    let secret = password.map { ":" + Self.escaped($0) } ?? ""
    return
      "postgresql://\(Self.escaped(user))\(secret)@127.0.0.1:\(port)/\(Self.escaped(database))"
  }

  /// The address of a database over the Unix socket.
  public func socketURL(_ database: String = "postgres", user: String = "postgres") -> String {
    "postgresql://\(Self.escaped(user))@\(Self.escaped(socketDirectory)):\(port)"
      + "/\(Self.escaped(database))"
  }

  /// Percent-encodes all that may not stand in a part of a connection URI.
  static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        result += "%" + (hex.count == 1 ? "0" : "") + hex
      }
    }
    return result
  }

  // MARK: Programs

  /// Runs SQL with this version's `psql` as superuser over the Unix socket.
  ///
  /// - Returns: the rows, unaligned (`|` between columns), without headers, footers and the last
  ///   line's end.
  /// - Throws: `TestSupportError` with the server's message at the first error.
  @discardableResult
  public func psql(
    _ sql: String, database: String = "postgres", user: String = "postgres",
    timeout: Duration = .seconds(120)
  ) throws -> String {
    let result = try Command.check(
      binaries + "/psql",
      ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", socketURL(database, user: user)],
      input: Array(sql.utf8), environment: ["PGCLIENTENCODING": "UTF8"], timeout: timeout)
    var text = result.text
    if text.hasSuffix("\n") { text.removeLast() }
    return text
  }

  /// Runs a program of this version (`pg_dump`, `pgbench`, …) with the superuser's connection over
  /// the Unix socket in its environment; a database's name may stand in `arguments`.
  public func run(
    _ program: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment: [String: String] = [:], timeout: Duration = .seconds(300)
  ) throws -> CommandResult {
    let connection = ["PGHOST": socketDirectory, "PGPORT": "\(port)", "PGUSER": "postgres"]
    return try Command.run(
      binaries + "/" + program, arguments, input: input,
      environment: connection.merging(environment) { $1 }, timeout: timeout)
  }

  /// As `run`, and throws `TestSupportError` unless the program exits with 0.
  @discardableResult
  public func check(
    _ program: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment: [String: String] = [:], timeout: Duration = .seconds(300)
  ) throws -> CommandResult {
    let result = try run(
      program, arguments, input: input, environment: environment, timeout: timeout)
    guard result.ending == .exited(0) else {
      throw TestSupportError("\(program) \(arguments): \(result.ending): \(result.errorText)")
    }
    return result
  }

  // MARK: Making it

  private func initialize() throws {
    var arguments = [
      "-D", dataDirectory, "-U", "postgres", "--no-sync", "--no-instructions",
      "--encoding=UTF8", "--locale=C.UTF-8", "--auth-local=trust",
      "--auth-host=\(options.password == nil ? "trust" : "scram-sha-256")",
    ]
    if let password = options.password {
      arguments.append("--pwfile=" + (try directory.write(password + "\n", to: "password")))
    }
    try Command.check(
      binaries + "/initdb", arguments + options.initdbArguments, directory: directory.path,
      asPostgres: true)

    var settings = [
      "listen_addresses": "127.0.0.1", "port": "\(port)", "unix_socket_directories": directory.path,
      "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
      "shared_buffers": "64MB", "max_wal_size": "1GB", "checkpoint_timeout": "30min",
      "log_line_prefix": "%m [%p] %a %u@%d ",
    ]
    if options.tls {
      try makeCertificate()
      settings["ssl"] = "on"
      settings["ssl_cert_file"] = certificate
      settings["ssl_key_file"] = directory.file("server.key")
    }
    settings.merge(options.settings) { $1 }
    try append(
      settings.sorted { $0.key < $1.key }.map { name, value in
        "\(name) = '\(value.replacingOccurrences(of: "'", with: "''"))'"
      }, to: "postgresql.conf")

    var lines = options.hbaLines
    if options.tlsRequired { lines += ["hostnossl all all all reject"] }
    if !lines.isEmpty {
      let old = try directory.read("data/pg_hba.conf")
      try overwrite(
        "data/pg_hba.conf", Array((lines.joined(separator: "\n") + "\n").utf8) + old)
    }
  }

  private func append(_ lines: [String], to file: String) throws {
    let old = try directory.read("data/" + file)
    try overwrite("data/" + file, old + Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  /// Writes in place: the file goes on belonging to `postgres`.
  private func overwrite(_ name: String, _ bytes: [UInt8]) throws {
    guard let handle = FileHandle(forWritingAtPath: directory.file(name)) else {
      throw TestSupportError("cannot write \(directory.file(name))")
    }
    try handle.truncate(atOffset: 0)
    try handle.write(contentsOf: Data(bytes))
    try handle.close()
  }

  private func makeCertificate() throws {
    let key = directory.file("server.key")
    try Command.check(
      "openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "3650", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate,
      ])
    chmod(key, 0o600)
    chmod(certificate, 0o644)
    try handOver(key)
  }

  /// Gives a file to the user that the server runs as.
  private func handOver(_ path: String) throws {
    guard geteuid() == 0 else { return }
    guard let user = getpwnam("postgres") else {
      throw TestSupportError("there is no user postgres: run scripts/setup")
    }
    guard chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
      throw TestSupportError("cannot chown \(path): \(String(cString: strerror(errno)))")
    }
  }
}
