import Foundation
import Glibc
import Synchronization

/// A real S3 server on 127.0.0.1, for tests, with its files under a temporary directory.
///
/// It is gone when the last reference to it goes, when the test process ends, and also when that is
/// killed.
public final class S3Server: Sendable {
  /// Which server it is.
  public enum Kind: String, Sendable, CaseIterable {
    /// SeaweedFS: checks signatures and serves real multipart uploads.
    case seaweedFS
    /// moto's server, AWS's behaviour as its users know it; it does not check signatures.
    case moto
  }

  /// Which server it is.
  public let kind: Kind
  /// The port on 127.0.0.1.
  public let port: Int
  /// `http://127.0.0.1:PORT`.
  public var endpoint: String { "http://127.0.0.1:\(port)" }
  /// The one identity's access key.
  public let accessKey = "pgkeeptestkey"
  /// The one identity's secret key.
  public let secretKey = "pgkeep/test+secret"
  /// The region to sign for.
  public let region = "us-east-1"

  private let directory: TestDirectory
  private let child: ChildProcess
  private let running: Mutex<ServerProcess>
  private var process: ServerProcess { running.withLock { $0 } }
  private let sockets: [String]

  /// Starts a server; blocks until it answers.
  public init(_ kind: Kind) throws {
    self.kind = kind
    directory = try TestDirectory()
    let ports: [Int]
    let process: ServerProcess
    (ports, child, process) = try Self.begin(
      kind, directory, accessKey: accessKey, secretKey: secretKey)
    port = ports[0]
    // These SeaweedFS leaves behind, and has no option for.
    sockets = zip(["s3", "master", "volume", "filer"], ports).map {
      "/tmp/seaweedfs-\($0)-grpc-\($1 + 10_000).sock"
    }
    AtExit.shared.keep(ObjectIdentifier(directory)) { [sockets] in
      for socket in sockets { unlink(socket) }
    }
    running = Mutex(process)
    try waitUntilReady()
  }

  /// Starts the process; on other ports when it ends at once, since somebody may have taken one
  /// between the look whether it is free and its use.
  private static func begin(
    _ kind: Kind, _ directory: TestDirectory, accessKey: String, secretKey: String
  ) throws -> ([Int], ChildProcess, ServerProcess) {
    var attempt = 1
    while true {
      let ports = try (0..<4).map { _ in try LoopbackPort.free() }
      let child =
        switch kind {
        case .seaweedFS:
          try seaweedFS(
            ports: ports, directory: directory, accessKey: accessKey, secretKey: secretKey)
        case .moto:
          ChildProcess(
            executable: binaries + "/moto_server",
            arguments: ["-H", "127.0.0.1", "-p", "\(ports[0])"],
            environment: Command.cleanEnvironment, directory: directory.path)
        }
      let process = try ServerProcess(child, log: directory.file("log"), quickStop: SIGKILL)
      do {
        try process.waitUntil(timeout: .seconds(60)) { LoopbackPort.httpStatus(ports[0]) != nil }
        return (ports, child, process)
      } catch  where !process.isRunning && attempt < 5 {
        attempt += 1
      }
    }
  }

  private func waitUntilReady() throws {
    try process.waitUntil(timeout: .seconds(60)) { LoopbackPort.httpStatus(port) != nil }
    if kind == .seaweedFS { try waitUntilWritable() }
  }

  deinit {
    process.kill()
    for socket in sockets { unlink(socket) }
  }

  private static let sharedSeaweedFS = Mutex<S3Server?>(nil)
  private static let sharedMoto = Mutex<S3Server?>(nil)

  /// The server of that kind that all tests of this process share, with buckets of their own. It is
  /// started at its first use.
  public static func shared(_ kind: Kind = .seaweedFS) throws -> S3Server {
    func get(_ slot: borrowing Mutex<S3Server?>) throws -> S3Server {
      try slot.withLock { server in
        if let server { return server }
        let made = try S3Server(kind)
        server = made
        return made
      }
    }
    return kind == .seaweedFS ? try get(sharedSeaweedFS) : try get(sharedMoto)
  }

  /// What the executables need in their environment to use this server.
  public var environment: [String: String] {
    [
      "BACKUP_S3_ENDPOINT": endpoint, "BACKUP_S3_REGION": region,
      "AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey,
    ]
  }

  /// Makes a bucket with a name of its own and gives the name back.
  public func createBucket(_ prefix: String = "test") throws -> String {
    let name = prefix + "-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    try python("s3.create_bucket(Bucket='\(name)')")
    return name
  }

  /// Runs Python with `s3` as a boto3 client of this server: another's client, to see what is really
  /// stored and to damage it.
  /// - Returns: what the code printed, without the last line's end.
  @discardableResult
  public func python(_ code: String) throws -> String {
    let client = """
      import boto3, botocore.config
      s3 = boto3.client('s3', endpoint_url='\(endpoint)', region_name='\(region)',
        aws_access_key_id='\(accessKey)', aws_secret_access_key='\(secretKey)',
        config=botocore.config.Config(s3={'addressing_style': 'path'},
          request_checksum_calculation='when_required',
          response_checksum_validation='when_required'))

      """
    var text = try Command.check(
      Self.binaries + "/python", ["-"], input: Array((client + code + "\n").utf8)
    ).text
    if text.hasSuffix("\n") { text.removeLast() }
    return text
  }

  /// Kills the server, as a fault.
  public func kill() throws {
    process.kill()
    try process.waitForEnd(timeout: .seconds(10))
  }

  /// Starts it again after ``kill()``, with its files; moto has none. Blocks until it answers.
  public func restart() throws {
    for socket in sockets { unlink(socket) }
    let next = try ServerProcess(child, log: directory.file("log"), quickStop: SIGKILL)
    running.withLock { $0 = next }
    try waitUntilReady()
  }

  /// Stops it from answering, with its connections open, until ``resume()``.
  public func pause() { process.signal(SIGSTOP) }
  /// Lets it go on after ``pause()``.
  public func resume() { process.signal(SIGCONT) }

  /// Whether the server process runs.
  public var isRunning: Bool { process.isRunning }
  /// The end of what the server has written.
  public var logEnd: String { process.logEnd }

  private static let binaries = ProjectRoot.path + "/.venv/bin"

  private static func seaweedFS(
    ports: [Int], directory: TestDirectory, accessKey: String, secretKey: String
  ) throws -> ChildProcess {
    let config = """
      {"identities": [{"name": "test", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        "credentials": [{"accessKey": "\(accessKey)", "secretKey": "\(secretKey)"}]}]}
      """
    let configFile = try directory.write(config, to: "s3.json")
    try FileManager.default.createDirectory(
      atPath: directory.file("data"), withIntermediateDirectories: true)
    return ChildProcess(
      executable: binaries + "/weed",
      arguments: [
        "server", "-ip=127.0.0.1", "-dir=\(directory.file("data"))", "-master.telemetry=false",
        "-master.port=\(ports[1])", "-master.volumeSizeLimitMB=1024",
        "-volume.port=\(ports[2])", "-volume.max=500",
        "-filer", "-filer.port=\(ports[3])",
        "-s3", "-s3.port=\(ports[0])", "-s3.config=\(configFile)",
        // Two servers at once would both want the fixed ports that these have by default.
        "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-s3.localSocket=\(directory.file("s3.socket"))",
        "-filer.localSocket=\(directory.file("filer.socket"))",
      ],
      environment: Command.cleanEnvironment, directory: directory.path)
  }

  /// SeaweedFS answers before its volumes can take an object.
  private func waitUntilWritable() throws {
    try python(
      """
      import time
      for attempt in range(100):
        try:
          s3.create_bucket(Bucket='readiness')
          s3.put_object(Bucket='readiness', Key='probe', Body=b'probe')
          s3.delete_object(Bucket='readiness', Key='probe')
          s3.delete_bucket(Bucket='readiness')
          break
        except Exception as error:
          last = error
          time.sleep(0.1)
      else:
        raise last
      """)
  }
}
