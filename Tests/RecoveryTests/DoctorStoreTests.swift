import ByteStream
import Foundation
import ObjectStore
import Repository
import TestSupport
import Testing

@testable import Recovery

/// Each finding about the store, on stores that have what it is about.
@Suite struct DoctorStoreTests {
  @Test func aBucketIsWell() throws {
    let server = try S3Server.shared()
    var patient = try Patient()
    patient.useBucket(server, try server.createBucket())
    let report = try patient.examine("storage")
    #expect(report.findings.filter { $0.level == .failure } == [])
    #expect(report["storage.part_cap"]?.message.contains("parts") == true)
    #expect(report["storage.delete"]?.level == .ok)
    #expect(try patient.probes() == [])
  }

  @Test func partsThatDoNotHoldTheNextBackup() {
    func level(_ cap: Int, _ newest: Int?) -> Finding.Level {
      StoreCheckup.partCap(cap, newestBackup: newest).level
    }
    #expect(level(1, nil) == .ok)
    #expect(level(1, 1 << 30) == .ok)
    #expect(level(1, 2 << 30) == .warning)
    #expect(level(1, 5 << 30) == .failure)
    #expect(level(10_000, 1_000_000_000_000) == .ok)
    #expect(level(10_000, 2_000_000_000_000) == .warning)
    #expect(level(10_000, 4_900_000_000_000) == .failure)
  }

  @Test func aBucketThatIsNotThere() throws {
    let server = try S3Server.shared(.moto)
    var patient = try Patient()
    patient.useBucket(server, "nobody-made-this-one")
    let report = try patient.examine("storage", "database.connection")
    #expect(report["storage.reachable"]?.level == .failure)
    #expect(report["database.connection"]?.level == .ok)
    #expect(report["storage.write"] == nil)
  }

  @Test func anObjectLockThatTheBucketLacks() throws {
    let server = try S3Server.shared(.moto)
    var patient = try Patient()
    let bucket = try server.createBucket()
    patient.useBucket(server, bucket)
    patient.store.s3.lockDays = 10
    let without = try #require(
      try patient.examine("storage.object_lock")["storage.object_lock"])
    #expect(without.level == .failure)

    let locked = bucket + "-locked"
    try server.python(
      """
      s3.create_bucket(Bucket='\(locked)', ObjectLockEnabledForBucket=True)
      s3.put_object_lock_configuration(Bucket='\(locked)', ObjectLockConfiguration={
        'ObjectLockEnabled': 'Enabled',
        'Rule': {'DefaultRetention': {'Mode': 'GOVERNANCE', 'Days': 3}}})
      """)
    patient.useBucket(server, locked)
    patient.store.s3.lockDays = 10
    let with = try #require(try patient.examine("storage")["storage.object_lock"])
    #expect(with.level == .ok)
    #expect(with.message.contains("GOVERNANCE, 3 days"))
    patient.options.retention.keepDays = 5
    #expect(
      try patient.examine("storage.object_lock")["storage.object_lock"]?.level == .warning)
  }

  @Test func whatTheProviderRefusesIsOneFinding() throws {
    let server = try S3Server.shared()
    var patient = try Patient()
    let bucket = try server.createBucket()
    let proxy = try HTTPFaultProxy(to: server.port)
    patient.useBucket(server, bucket, port: proxy.port)
    func level(_ name: String) throws -> Finding.Level? {
      try patient.examine("storage")[name]?.level
    }
    proxy.add(.s3Error(403, "AccessDenied")) { $0.method == "PUT" }
    #expect(try level("storage.write") == .failure)
    proxy.clear()
    proxy.add(.s3Error(403, "AccessDenied")) { $0.method == "DELETE" }
    #expect(try level("storage.delete") == .failure)
    // What was left is not taken for a backup, and a key that may delete it does so an hour later.
    proxy.clear()
    #expect(try patient.probes().count == 1)
    #expect(try patient.repository.catalog().entries == [])
    #expect(try patient.repository.catalog().leftovers == [])
    proxy.add(.s3Error(403, "AccessDenied")) {
      $0.method == "GET" && $0.target.contains("list-type")
    }
    #expect(try level("storage.reachable") == .failure)
    proxy.clear()
    proxy.add(.answer(status: 200, body: "<ListBucketResult/>", headers: [:])) {
      $0.method == "GET" && $0.target.contains("list-type")
    }
    #expect(try level("storage.list") == .failure)
    proxy.clear()
    proxy.add(.s3Error(501, "NotImplemented")) { $0.headers["if-none-match"] != nil }
    #expect(try level("storage.conditional_write") == .warning)
    proxy.clear()
    let wrong = String(repeating: "x", count: 42)
    proxy.add(.answer(status: 200, body: wrong, headers: ["ETag": "\"1\""])) {
      $0.method == "GET" && !$0.target.contains("?")
    }
    #expect(try level("storage.read") == .failure)
    proxy.clear()
    #expect(try level("storage.read") == .ok)
  }

  @Test func clocksThatDisagree() throws {
    let server = try S3Server.shared()
    var patient = try Patient()
    let proxy = try HTTPFaultProxy(to: server.port)
    patient.useBucket(server, try server.createBucket(), port: proxy.port)
    func date(_ seconds: Double) -> String {
      let format = DateFormatter()
      format.locale = Locale(identifier: "en_US_POSIX")
      format.timeZone = TimeZone(identifier: "GMT")
      format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
      return format.string(from: Date().addingTimeInterval(seconds))
    }
    for (seconds, level) in [(300.0, Finding.Level.warning), (-2000, .failure)] {
      proxy.add(.answer(status: 200, headers: ["Date": date(seconds)])) { $0.method == "HEAD" }
      #expect(try patient.examine("storage.clock")["storage.clock"]?.level == level)
      proxy.clear()
    }
  }

  @Test func aStoreThatHangsIsGivenUp() throws {
    let server = try S3Server.shared()
    var patient = try Patient()
    let proxy = try HTTPFaultProxy(to: server.port)
    patient.useBucket(server, try server.createBucket(), port: proxy.port)
    patient.options.limit = .seconds(2)
    proxy.add(.stall(.seconds(60)))
    let started = ContinuousClock.now
    let report = try patient.examine("storage")
    #expect(report["storage.reachable"]?.level == .failure)
    #expect(ContinuousClock.now - started < .seconds(40))
  }

  @Test func aFolderThatCannotBeWrittenTo() throws {
    var patient = try Patient()
    // Root may write everywhere but into the kernel's own.
    patient.store.location = .directory(path: "/proc/self")
    let report = try patient.examine("storage")
    #expect(
      report["storage.write"]?.level == .failure || report["storage.reachable"]?.level == .failure)
  }

  @Test func aFolderWithoutRoom() throws {
    let patient = try Patient()
    let list = Checklist(only: [], limit: .seconds(10), cancellation: Cancellation())
    let checkup = StoreCheckup(patient.store, environment: "test", list)
    let opened = try #require(try checkup.examine(lockDays: nil, keepDays: 30))
    try checkup.checkSpace(opened, newestBackup: Int.max / 2)
    #expect(list.findings.last?.name == "storage.space")
    #expect(list.findings.last?.level == .failure)
  }
}
