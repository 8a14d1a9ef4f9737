import Foundation
import Glibc
import Repository
import TestSupport
import Testing

/// What goes wrong with an S3 store.
@Suite struct S3FaultTests {
  /// A bench whose store is a bucket behind a proxy.
  private struct Remote {
    let bench: Bench
    let server: S3Server
    let proxy: HTTPFaultProxy
    let bucket: String
    let variables: [String: String]

    init(rows: Int = 2000) throws {
      bench = try Bench(rows: rows)
      server = try S3Server.shared()
      proxy = try HTTPFaultProxy(to: server.port)
      bucket = try server.createBucket()
      variables = server.environment.merging([
        "BACKUP_STORE": "s3://\(bucket)/nightly", "BACKUP_S3_ENDPOINT": proxy.endpoint,
        "BACKUP_S3_DEADLINE": "1", "BACKUP_S3_PATH_STYLE": "true",
      ]) { $1 }
    }

    var backup: Tool { bench.backup.with(variables) }
    var restore: Tool { bench.restore.with(variables) }

    /// The objects and unfinished uploads in the bucket, as another client sees them.
    func stored() throws -> String {
      try server.python(
        """
        print([o['Key'] for o in s3.list_objects_v2(Bucket='\(bucket)').get('Contents', [])]
          + [u['Key'] for u in s3.list_multipart_uploads(Bucket='\(bucket)').get('Uploads', [])])
        """)
    }
  }

  @Test(arguments: [
    (403, "AccessDenied", Int32(8)), (403, "SignatureDoesNotMatch", 8),
    (403, "RequestTimeTooSkewed", 8), (404, "NoSuchBucket", 1), (500, "InternalError", 1),
    (503, "SlowDown", 1),
  ])
  func anAnswerThatDoesNotGoAway(status: Int, name: String, code: Int32) throws {
    let remote = try Remote(rows: 100)
    // An answer to HEAD has no body, so no name either.
    remote.proxy.add(.s3Error(status, name)) { $0.method != "HEAD" }
    // What is worth trying again is tried again until the deadline, so once is enough here.
    try remote.backup("run").expectFailure(code, name)
    if status < 500 {
      try remote.backup("list").expectFailure(code, name)
      try remote.backup("prune").expectFailure(code, name)
    }
    try remote.restore("latest").expectFailure(code, name)
    #expect(try remote.bench.restored().isEmpty)
    try remote.bench.expectNoSessions()
    remote.proxy.clear()
    #expect(try remote.stored() == "[]")
    try remote.backup("run").expectSuccess()
    try remote.restore("latest", "--verify").expectSuccess()
  }

  @Test func uploadsThatFailLeaveNothing() throws {
    let remote = try Remote(rows: 100)
    remote.proxy.add(.s3Error(403, "AccessDenied")) { $0.method == "PUT" || $0.method == "POST" }
    try remote.backup("run").expectFailure(8, "AccessDenied")
    remote.proxy.clear()
    #expect(try remote.stored() == "[]")
    // The rows arrive and the manifest does not: no backup.
    remote.proxy.add(.s3Error(500, "InternalError")) {
      $0.method == "PUT" && $0.target.contains(".json")
    }
    try remote.backup("run").expectFailure(1, "InternalError")
    remote.proxy.clear()
    let list = try remote.backup("list", "--json").json()
    #expect((list["backups"] as? [Any])?.isEmpty == true)
    try remote.restore("latest").expectFailure(3)
    try remote.backup("run").expectSuccess()
  }

  @Test func faultsThatGoAwayAreRiddenOut() throws {
    let remote = try Remote(rows: 20_000)
    remote.proxy.add(.s3Error(500, "InternalError"), times: 1)
    remote.proxy.add(.s3Error(503, "SlowDown"), times: 1)
    remote.proxy.add(.cutRequest(afterBytes: 1000), times: 1) { $0.method == "PUT" }
    remote.proxy.add(.loseAnswer, times: 1) { $0.method == "PUT" }
    try remote.backup.with(["BACKUP_S3_DEADLINE": "60"])("run").expectSuccess()
    remote.proxy.add(.cutAnswer(afterBytes: 2000), times: 2) { $0.target.contains(".sql.gz") }
    try remote.restore.with(["BACKUP_S3_DEADLINE": "60"])("latest", "--verify").expectSuccess()
    #expect(
      try remote.bench.contents(of: remote.bench.target)
        == remote.bench.contents(of: remote.bench.database.name))
  }

  @Test func aConnectionThatIsAlwaysCut() throws {
    let remote = try Remote(rows: 20_000)
    remote.proxy.add(.cutRequest(afterBytes: 1000)) {
      $0.method == "PUT" && $0.target.contains(".sql.gz")
    }
    try remote.backup("run").expectFailure(1)
    remote.proxy.clear()
    let list = try remote.backup("list", "--json").json()
    #expect((list["backups"] as? [Any])?.isEmpty == true)
    try remote.backup("run").expectSuccess()
    // Before the first byte of the body: what came before a cut is not asked for again.
    remote.proxy.add(.cutAnswer(afterBytes: 20)) { $0.target.contains(".sql.gz") }
    try remote.restore("latest").expectFailure(1)
    #expect(try remote.bench.restored().isEmpty)
    remote.proxy.clear()
    try remote.restore("latest", "--verify").expectSuccess()
  }

  @Test func anObjectThatVanishesBetweenListAndRead() throws {
    let remote = try Remote(rows: 100)
    try remote.backup("run").expectSuccess()
    remote.proxy.add(.s3Error(404, "NoSuchKey")) {
      $0.method == "GET" && $0.target.contains(".sql.gz")
    }
    try remote.restore("latest").expectFailure(1, ".sql.gz")
    #expect(try remote.bench.restored().isEmpty)
    remote.proxy.clear()
    try remote.restore("latest").expectSuccess()
  }

  @Test func pruneSaysWhatALockKeeps() throws {
    let remote = try Remote(rows: 10)
    let bucket = remote.bucket + "-locked"
    try remote.server.python(
      "s3.create_bucket(Bucket='\(bucket)', ObjectLockEnabledForBucket=True)")
    let backup = remote.backup.with([
      "BACKUP_STORE": "s3://\(bucket)", "BACKUP_S3_LOCK_DAYS": "2", "BACKUP_S3_DEADLINE": "60",
    ])
    for _ in 0..<2 { try backup("run").expectSuccess() }
    let prune = try backup("prune", "--keep-days", "0", "--keep-last", "1")
    prune.expectSuccess()
    #expect(prune.errorText.contains("an object lock (GOVERNANCE) keeps it until 20"))
    // Nothing is hidden from those who look for it.
    let list = try backup("list", "--json").json()
    #expect((list["backups"] as? [Any])?.count == 2)
    try remote.restore.with(["BACKUP_STORE": "s3://\(bucket)"])("latest").expectSuccess()
  }

  @Test func aServerThatIsNotThere() throws {
    let remote = try Remote(rows: 10)
    let port = try LoopbackPort.free()
    let backup = remote.backup.with(["BACKUP_S3_ENDPOINT": "http://127.0.0.1:\(port)"])
    try backup("run").expectFailure(1, "127.0.0.1")
    try backup("list").expectFailure(1, "127.0.0.1")
    try backup.with(["AWS_SECRET_ACCESS_KEY": ""])("list").expectFailure(8, "AWS_SECRET_ACCESS_KEY")
  }
}
