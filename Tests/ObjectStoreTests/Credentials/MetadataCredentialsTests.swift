import ByteStream
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStore

/// Credentials that services give: the container's, the instance's and the token service's.
@Suite struct MetadataCredentialsTests {
  /// A service of no other answers than those that are added; it listens where nothing is behind.
  private let service: HTTPFaultProxy
  private let directory: TestDirectory

  init() throws {
    service = try HTTPFaultProxy(to: 1)
    directory = try TestDirectory()
  }

  private static func answer(_ key: String, expires: UTCTime = UTCTime.now().adding(days: 1))
    -> String
  {
    """
    {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "\(key)", "SecretAccessKey": "secret",
     "Token": "token-\(key)", "Expiration": "\(expires)"}
    """
  }

  private func find(_ variables: [String: String]) throws -> Credentials {
    try StoreConfiguration.find(variables.merging(["HOME": directory.path]) { a, _ in a })
  }

  // MARK: Containers

  @Test func aContainersRole() throws {
    service.add(.s3Error(503, "Busy"), times: 1)
    service.add(.answer(status: 200, body: Self.answer("CK")))
    let file = try directory.write("Bearer of-file\n", to: "token")
    let variables = [
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint + "/v1/credentials?id=7",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer plain",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file,
    ]
    let found = try find(variables)
    #expect(found.accessKey == "CK" && found.sessionToken == "token-CK")
    #expect(found.expires != nil)
    #expect(service.requests.map(\.target) == ["/v1/credentials?id=7", "/v1/credentials?id=7"])
    #expect(service.requests.allSatisfy { $0.headers["authorization"] == "Bearer of-file" })
    var plain = variables
    plain["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = nil
    _ = try find(plain)
    #expect(service.requests.last?.headers["authorization"] == "Bearer plain")
  }

  @Test(arguments: [
    "http://example.com/x", "http://127.0.0.1.example.com/x", "http://user@127.0.0.1/x",
    "http://169.254.169.254/x", "ftp://127.0.0.1/x", "http://[::2]/x", "http://127.1.evil/x",
  ])
  func aContainersTokenIsSentToNobodyElse(_ url: String) throws {
    expectCode(.credentials) { _ = try find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]) }
  }

  @Test(arguments: [
    "http://127.0.0.1/x", "http://localhost:80/x", "http://[::1]:7/x", "http://169.254.170.23/v1",
    "http://[fd00:ec2::23]/v1", "https://example.com/x",
  ])
  func addressesThatMayHaveIt(_ url: String) throws { try ContainerCredentials.check(url) }

  @Test(arguments: [
    (404, "{}", "HTTP 404"), (200, "{\"Code\": \"Failed\", \"Message\": \"why\"}", "Failed, why"),
    (200, "<html>", "in JSON"), (200, "{\"AccessKeyId\": \"k\"}", "no access key and secret key"),
    (
      200, "{\"AccessKeyId\": \"k\", \"SecretAccessKey\": \"hush\", \"Expiration\": \"soon\"}",
      "no time: soon"
    ),
  ])
  func badAnswersAreExplained(_ status: Int, _ body: String, _ words: String) throws {
    service.add(.answer(status: status, body: body))
    do {
      _ = try find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint + "/c"])
      Issue.record("found some")
    } catch let error as ObjectStoreError {
      #expect(error.code == .credentials)
      #expect(error.description.contains(words), "\(error)")
      #expect(!error.description.contains("hush"))
    }
  }

  // MARK: Instances

  private func addInstance(role: String = "backup role", key: String = "IK") {
    service.add(.answer(status: 200, body: "t0k3n")) {
      $0.method == "PUT" && $0.target == "/latest/api/token"
        && $0.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    }
    let isKnown: @Sendable (HTTPFaultProxy.Request) -> Bool = {
      $0.headers["x-aws-ec2-metadata-token"] == "t0k3n"
    }
    let folder = "/latest/meta-data/iam/security-credentials/"
    service.add(.answer(status: 200, body: role + "\n")) { isKnown($0) && $0.target == folder }
    service.add(.answer(status: 200, body: Self.answer(key))) {
      isKnown($0) && $0.target == folder + "backup%20role"
    }
    service.add(.answer(status: 401, body: ""))
  }

  @Test func anInstancesRole() throws {
    addInstance()
    let found = try find(["AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint + "/"])
    #expect(found.accessKey == "IK" && found.sessionToken == "token-IK")
    // Version 2 only: the first request opens a session.
    #expect(service.requests.map(\.method) == ["PUT", "GET", "GET"])
  }

  @Test func anInstanceWithoutRoleAndOneThatRefuses() throws {
    service.add(.answer(status: 200, body: "t"), times: 1)
    service.add(.answer(status: 404), times: 1)
    service.add(.answer(status: 403))
    let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint]
    for words in ["this instance has no role", "HTTP 403"] {
      do {
        _ = try find(variables)
        Issue.record("found some")
      } catch let error as ObjectStoreError {
        #expect(error.code == .credentials)
        #expect(error.description.contains(words), "\(error)")
      }
    }
  }

  @Test func anInstancesRoleIsForAWSOnly() throws {
    addInstance()
    for endpoint in ["https://s3.fr-par.scw.cloud", "http://127.0.0.1:9000"] {
      do {
        _ = try find(["BACKUP_S3_ENDPOINT": endpoint])
        Issue.record("found some")
      } catch let error as ObjectStoreError {
        #expect(error.description.contains("for AWS only"), "\(error)")
      }
    }
    #expect(service.requests.isEmpty)
  }

  // MARK: Web identity

  @Test func webIdentity() throws {
    let moto = try S3Server.shared(.moto)
    let token = try directory.write("ey.first.token\n", to: "web-token")
    let variables = [
      "AWS_WEB_IDENTITY_TOKEN_FILE": token,
      "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/backup",
      "AWS_ROLE_SESSION_NAME": "nightly", "AWS_ENDPOINT_URL_STS": moto.endpoint,
    ]
    let found = try find(variables)
    #expect(found.accessKey.hasPrefix("ASIA"))
    #expect(found.secretKey.count > 20)
    #expect(found.sessionToken?.isEmpty == false)
    #expect((found.expires?.seconds(since: .now()) ?? 0) > 1000)
    // A whole backup's store by it.
    let bucket = try moto.createBucket("identity")
    let store = try StoreConfiguration.fromEnvironment(
      variables.merging([
        "BACKUP_STORE": "s3://\(bucket)/db", "BACKUP_S3_ENDPOINT": moto.endpoint,
        "HOME": directory.path,
      ]) { a, _ in a }
    ).open()
    try store.put("k", [1])
    #expect(try store.readAll("k", limit: 1) == [1])
  }

  @Test func webIdentityThatIsRefused() throws {
    let token = try directory.write("ey.expired.token", to: "web-token")
    let variables = [
      "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/backup",
      "AWS_ENDPOINT_URL_STS": service.endpoint,
    ]
    service.add(
      .answer(
        status: 400,
        body: """
          <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
          <Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token is over</Message>
          </Error><RequestId>77</RequestId></ErrorResponse>
          """))
    do {
      _ = try find(variables)
      Issue.record("found some")
    } catch let error as ObjectStoreError {
      #expect(error.code == .credentials)
      for words in ["arn:aws:iam::1:role/backup", "ExpiredTokenException", "Token is over"] {
        #expect(error.description.contains(words), "\(error)")
      }
      #expect(!error.description.contains("ey.expired"))
    }
    for missing in ["AWS_ROLE_ARN", "the file"] {
      var less = variables
      less[missing] = nil
      if missing == "the file" { less["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/nonexistent" }
      expectCode(.credentials) { _ = try find(less) }
    }
  }

  // MARK: In the middle of an upload

  /// The session ends after some parts; the metadata service has a new one, and the upload goes on.
  @Test func aSessionThatEndsInTheMiddleOfAnUpload() throws {
    let moto = try S3Server.shared(.moto)
    let bucket = try moto.createBucket("expiring")
    let storage = try HTTPFaultProxy(to: moto.port)
    service.add(.answer(status: 200, body: Self.answer("FIRST")), times: 1)
    service.add(.answer(status: 500), times: 1)
    service.add(.answer(status: 200, body: Self.answer("SECOND")))
    let parts = Mutex(0)
    storage.add(.s3Error(400, "ExpiredToken")) { request in
      guard request.headers["x-amz-security-token"] == "token-FIRST" else { return false }
      guard request.target.contains("partNumber") else { return false }
      return parts.withLock { parts in
        parts += 1
        return parts > 3
      }
    }
    let store = try StoreConfiguration.fromEnvironment([
      "BACKUP_STORE": "s3://\(bucket)/db", "BACKUP_S3_ENDPOINT": storage.endpoint,
      "BACKUP_S3_PART_SIZE": "5M", "HOME": directory.path,
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint + "/c",
    ]).open()
    let bytes = StoreConformance.pattern(22_000_000)
    let sink = try store.writer("object")
    for _ in 0..<3 { try sink.write(bytes) }
    try sink.finish()
    #expect(try store.info("object")?.size == 66_000_000)
    let read = try store.readRange("object", 44_000_000..<66_000_000)
    expectSame(read, bytes)
    #expect(try store.unfinished(prefix: "").isEmpty)
    let tokens = Set(storage.requests.compactMap { $0.headers["x-amz-security-token"] })
    #expect(tokens == ["token-FIRST", "token-SECOND"])
    // Several uploads found it out at once; one of them asked.
    #expect(service.requests.count == 3)
  }

  /// And when the metadata service has no new one, the upload fails and leaves nothing.
  @Test func aSessionThatEndsForGood() throws {
    let moto = try S3Server.shared(.moto)
    let bucket = try moto.createBucket("expired")
    let storage = try HTTPFaultProxy(to: moto.port)
    service.add(.answer(status: 200, body: Self.answer("FIRST")), times: 1)
    service.add(.answer(status: 403))
    storage.add(.s3Error(400, "ExpiredToken"), times: 1) { $0.target.contains("partNumber=3") }
    let store = try StoreConfiguration.fromEnvironment([
      "BACKUP_STORE": "s3://\(bucket)/db", "BACKUP_S3_ENDPOINT": storage.endpoint,
      "BACKUP_S3_PART_SIZE": "5M", "HOME": directory.path,
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint + "/c",
    ]).open()
    do {
      let sink = try store.writer("object")
      try sink.write(StoreConformance.pattern(22_000_000))
      try sink.finish()
      Issue.record("written")
    } catch let error as ObjectStoreError {
      #expect(error.code == .credentials)
      #expect(error.description.contains("HTTP 403"), "\(error)")
    }
    #expect(
      try moto.python(
        "print(s3.list_objects_v2(Bucket='\(bucket)').get('KeyCount'))") == "0")
  }
}
