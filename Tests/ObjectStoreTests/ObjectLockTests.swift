import ByteStream
import Foundation
import ObjectStore
import TestSupport
import Testing

/// What is sent with each new object when it is asked for, seen by another client, and what an
/// object lock does to a delete.
@Suite struct ObjectLockTests {
  private func lockedBucket(_ server: S3Server) throws -> String {
    let name = "locked-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    try server.python("s3.create_bucket(Bucket='\(name)', ObjectLockEnabledForBucket=True)")
    return name
  }

  /// A small object, and one in parts.
  private func write(_ store: some ObjectStore) throws {
    try store.put("small", [1, 2, 3])
    let sink = try store.writer("large")
    try sink.write(StoreConformance.pattern(11_000_000))
    try sink.finish()
  }

  @Test(arguments: S3Server.Kind.allCases, ["GOVERNANCE", "COMPLIANCE"])
  func aLockIsSetAndHeeded(_ kind: S3Server.Kind, _ mode: String) throws {
    let server = try S3Server.shared(kind)
    let bucket = try lockedBucket(server)
    let store = try SharedBucket.store(server, bucket: bucket) {
      $0.lockDays = 3
      $0.lockMode = mode
    }
    try write(store)
    // moto forgets the lock of an object in parts.
    for key in kind == .moto ? ["small"] : ["small", "large"] {
      let found = try server.python(
        """
        import datetime
        h = s3.head_object(Bucket='\(bucket)', Key='\(key)')
        left = h['ObjectLockRetainUntilDate'] - datetime.datetime.now(datetime.timezone.utc)
        print(h['ObjectLockMode'], round(left.total_seconds() / 86400, 1))
        """)
      #expect(found == "\(mode) 3.0")
      do {
        try store.delete(key)
        Issue.record("deleted")
      } catch let error as ObjectStoreError {
        #expect(error.code == .retained)
        #expect(error.description.contains("keeps it until 20"), "\(error)")
        #expect(error.description.contains(mode), "\(error)")
      }
      #expect(try store.info(key) != nil)
    }
    // What has no lock goes, and what is not there is no error.
    let plain = try SharedBucket.store(server, bucket: bucket)
    try plain.put("plain", [1])
    try plain.delete(["plain", "never there"])
    #expect(try plain.info("plain") == nil)
  }

  @Test func aLegalHoldIsHeeded() throws {
    let server = try S3Server.shared(.moto)
    let bucket = try lockedBucket(server)
    let store = try SharedBucket.store(server, bucket: bucket)
    try store.put("held", [1])
    try server.python(
      "s3.put_object_legal_hold(Bucket='\(bucket)', Key='held', LegalHold={'Status': 'ON'})")
    do {
      try store.delete("held")
      Issue.record("deleted")
    } catch let error as ObjectStoreError {
      #expect(error.code == .retained)
      #expect(error.description.contains("legal hold"))
    }
  }

  @Test func encryptionAndStorageClass() throws {
    let server = try S3Server.shared(.moto)
    let bucket = try server.createBucket("headers")
    let store = try SharedBucket.store(server, bucket: bucket) {
      $0.serverSideEncryption = "aws:kms"
      $0.kmsKey = "arn:aws:kms:us-east-1:123456789012:key/backup"
      $0.storageClass = "STANDARD_IA"
    }
    try write(store)
    for key in ["small", "large"] {
      let found = try server.python(
        """
        h = s3.head_object(Bucket='\(bucket)', Key='\(key)')
        print(h['ServerSideEncryption'], h['SSEKMSKeyId'], h['StorageClass'])
        """)
      #expect(found == "aws:kms arn:aws:kms:us-east-1:123456789012:key/backup STANDARD_IA")
    }
  }

  @Test(arguments: [true, false])
  func bodiesCarryTheirHashes(_ withMD5: Bool) throws {
    let server = try S3Server.shared(.seaweedFS)
    let proxy = try HTTPFaultProxy(to: server.port)
    let store = try PrefixedStore(
      SharedBucket.store(
        server, bucket: SharedBucket.seaweedFSBucket(), endpoint: proxy.endpoint
      ) { $0.contentMD5 = withMD5 }, prefix: UUID().uuidString)
    try write(store)
    let bodies = proxy.requests.filter { $0.method == "PUT" }
    #expect(bodies.count >= 4)
    for request in bodies {
      let hash = try #require(request.headers["x-amz-content-sha256"])
      #expect(hash.count == 64 && hash.allSatisfy(\.isHexDigit))
      #expect((request.headers["content-md5"]?.count == 24) == withMD5)
      #expect(Int(request.headers["content-length"] ?? "") != nil)
      // What other stores than AWS's break on.
      for name in ["transfer-encoding", "content-encoding", "x-amz-trailer", "expect"] {
        #expect(request.headers[name] == nil)
      }
      #expect(!request.headers.keys.contains { $0.hasPrefix("x-amz-checksum") })
    }
  }

  @Test func aProviderWithoutConditionalWrites() throws {
    let server = try S3Server.shared(.seaweedFS)
    let proxy = try HTTPFaultProxy(to: server.port)
    let store = try PrefixedStore(
      SharedBucket.store(
        server, bucket: SharedBucket.seaweedFSBucket(), endpoint: proxy.endpoint),
      prefix: UUID().uuidString)
    proxy.add(.s3Error(501, "NotImplemented")) { $0.headers["if-none-match"] != nil }
    try store.put("m.json", [1], options: PutOptions(onlyIfAbsent: true))
    // The look before still finds what is there.
    expectCode(.alreadyExists) {
      try store.put("m.json", [2], options: PutOptions(onlyIfAbsent: true))
    }
    #expect(try store.readAll("m.json", limit: 9) == [1])
  }

  @Test func theManifestsConditionIsSentAndHeeded() throws {
    for kind in S3Server.Kind.allCases {
      let server = try S3Server.shared(kind)
      let proxy = try HTTPFaultProxy(to: server.port)
      let bucket = try server.createBucket("condition")
      let store = try SharedBucket.store(server, bucket: bucket, endpoint: proxy.endpoint)
      let direct = try SharedBucket.store(server, bucket: bucket)
      // Another writer comes between the look and the write: its bytes stay.
      proxy.add(.answer(status: 404), times: 1) { $0.method == "HEAD" }
      try direct.put("m.json", [1])
      expectCode(.alreadyExists) {
        try store.put("m.json", [2], options: PutOptions(onlyIfAbsent: true))
      }
      #expect(proxy.requests.contains { $0.headers["if-none-match"] == "*" })
      #expect(try direct.readAll("m.json", limit: 9) == [1], "\(kind)")
    }
  }
}
