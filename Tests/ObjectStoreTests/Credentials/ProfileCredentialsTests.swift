import ByteStream
import Foundation
import TestSupport
import Testing

@testable import ObjectStore

/// AWS's shared files, with profiles of every kind.
@Suite struct ProfileCredentialsTests {
  private let directory: TestDirectory

  init() throws {
    directory = try TestDirectory()
    try FileManager.default.createDirectory(
      atPath: directory.file(".aws"), withIntermediateDirectories: false)
  }

  private func find(_ variables: [String: String] = [:]) throws -> Credentials {
    try StoreConfiguration.find(
      variables.merging(["HOME": directory.path, "AWS_EC2_METADATA_DISABLED": "true"]) { a, _ in a }
    )
  }

  private func write(credentials: String = "", config: String = "") throws {
    try directory.write(credentials, to: ".aws/credentials")
    try directory.write(config, to: ".aws/config")
  }

  @Test func theDefaultProfile() throws {
    try write(
      credentials: """
        # written by hand
        [default]
        aws_access_key_id = AKDEFAULT
        aws_secret_access_key=abc/+=def  # not part of it
        s3 =
          aws_access_key_id = nested

        [backup]\r
        aws_access_key_id = AKBACKUP\r
        aws_secret_access_key = second\r
        aws_session_token = token==\r
        """)
    let found = try find()
    #expect(found == Credentials(accessKey: "AKDEFAULT", secretKey: "abc/+=def"))
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
      let named = try find([name: "backup"])
      #expect(
        named
          == Credentials(accessKey: "AKBACKUP", secretKey: "second", sessionToken: "token=="))
    }
  }

  @Test func theConfigFileHasProfilesToo() throws {
    try write(
      credentials: "[both]\naws_access_key_id = A\naws_secret_access_key = fromCredentials\n",
      config: """
        [default]
        region = eu-west-3
        [profile both]
        aws_access_key_id = B
        aws_secret_access_key = fromConfig
        [profile "only here"]
        aws_access_key_id = C
        aws_secret_access_key = c
        [sso-session x]
        aws_access_key_id = no
        """)
    #expect(try find(["AWS_PROFILE": "both"]).secretKey == "fromCredentials")
    #expect(try find(["AWS_PROFILE": "only here"]).accessKey == "C")
    #expect(throws: ObjectStoreError.self) { _ = try find(["AWS_PROFILE": "sso-session x"]) }
  }

  @Test func filesOfOtherNames() throws {
    let path = try directory.write(
      "[default]\naws_access_key_id = K\naws_secret_access_key = s\n", to: "elsewhere")
    #expect(try find(["AWS_SHARED_CREDENTIALS_FILE": path]).accessKey == "K")
    let config = try directory.write(
      "[profile p]\naws_access_key_id = Q\naws_secret_access_key = s\n", to: "config")
    #expect(try find(["AWS_CONFIG_FILE": config, "AWS_PROFILE": "p"]).accessKey == "Q")
  }

  @Test(arguments: [
    ("", "no default profile"),
    ("[default]\naws_access_key_id = K\n", "no aws_secret_access_key"),
    ("[default]\nregion = x\n", "holds no credentials"),
    ("[default]\nsso_start_url = https://x\n", "export-credentials"),
    ("[default]\nrole_arn = r\nsource_profile = other\n", "no profile \"other\""),
    (
      "[default]\nrole_arn = r\nsource_profile = a\n[a]\nrole_arn=r\nsource_profile = default\n",
      "from itself"
    ),
    ("[default]\nrole_arn = r\nmfa_serial = m\n", "a device"),
    ("[default]\nrole_arn = r\n", "credential_source"),
    ("[default]\ncredential_process = exit 3\n", "status 3"),
    ("[default]\ncredential_process = echo nothing\n", "in JSON"),
    ("[default]\ncredential_process = echo '{\"Version\": 7}'\n", "unknown form 7"),
    ("[default]\ncredential_process = kill -9 $$\n", "status 137"),
  ])
  func whatIsMissingIsSaid(_ text: String, _ words: String) throws {
    try write(credentials: text)
    do {
      _ = try find()
      Issue.record("found some")
    } catch let error as ObjectStoreError {
      #expect(error.code == .credentials)
      #expect(error.description.contains(words), "\(error)")
    }
  }

  @Test func aProfileThatIsNotThereIsNoReasonToTakeAnother() throws {
    try write(credentials: "[default]\naws_access_key_id = K\naws_secret_access_key = s\n")
    do {
      _ = try find(["AWS_PROFILE": "missing"])
      Issue.record("found some")
    } catch let error as ObjectStoreError {
      #expect(error.description.contains("\"missing\""), "\(error)")
    }
  }

  @Test func halfAKeyIsNoReasonToTakeAnother() throws {
    try write(credentials: "[default]\naws_access_key_id = K\naws_secret_access_key = s\n")
    for (name, other) in [
      ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("SCW_SECRET_KEY", "SCW_ACCESS_KEY"),
    ] {
      do {
        _ = try find([name: "x"])
        Issue.record("found some")
      } catch let error as ObjectStoreError {
        #expect(error.code == .credentials)
        #expect(error.description.contains("\(name) is set, and \(other) is not"), "\(error)")
      }
    }
  }

  @Test func aProcess() throws {
    try directory.write(
      """
      {"Version": 1, "AccessKeyId": "PK", "SecretAccessKey": "ps", "SessionToken": "pt",
       "Expiration": "2099-01-02T03:04:05Z"}
      """, to: "answer.json")
    try write(
      config: """
        [profile process]
        credential_process = echo secret >&2; cat "\(directory.file("answer.json"))"
        """)
    let found = try find(["AWS_PROFILE": "process"])
    #expect(
      found
        == Credentials(
          accessKey: "PK", secretKey: "ps", sessionToken: "pt",
          expires: UTCTime("2099-01-02T03:04:05Z")))
  }

  @Test func aProcessThatHangsIsStoppedWithTheRun() throws {
    try write(config: "[default]\ncredential_process = sleep 100\n")
    let configuration = try StoreConfiguration.fromEnvironment([
      "HOME": directory.path, "BACKUP_STORE": "s3://bucket/x", "AWS_REGION": "eu-west-3",
    ])
    let cancellation = Cancellation()
    let group = ThreadGroup(following: Cancellation())
    group.start("canceller") {
      Thread.sleep(forTimeInterval: 0.3)
      cancellation.cancel(reason: "stopped by the test")
    }
    let started = ContinuousClock.now
    expectCode(.cancelled) { _ = try configuration.open(cancellation: cancellation) }
    try group.join()
    #expect(ContinuousClock.now - started < .seconds(10))
  }

  @Test func aRoleByAnotherProfilesKey() throws {
    let moto = try S3Server.shared(.moto)
    try write(
      credentials: "[base]\naws_access_key_id = AKBASE\naws_secret_access_key = s\n",
      config: """
        [profile role]
        role_arn = arn:aws:iam::123456789012:role/backup
        source_profile = base
        external_id = e x/t
        region = eu-west-3
        """)
    let proxy = try HTTPFaultProxy(to: moto.port)
    let found = try find(["AWS_PROFILE": "role", "AWS_ENDPOINT_URL_STS": proxy.endpoint])
    #expect(found.accessKey.hasPrefix("ASIA"))
    #expect(found.sessionToken?.isEmpty == false)
    let left = found.expires?.seconds(since: .now()) ?? 0
    #expect((3000...3700).contains(left))
    let signed = proxy.requests.first?.headers["authorization"] ?? ""
    #expect(signed.contains("Credential=AKBASE/") && signed.contains("/eu-west-3/sts/aws4_request"))
  }

  @Test func theRegionAndTheEndpointOfAProfile() throws {
    let moto = try S3Server.shared(.moto)
    let bucket = try moto.createBucket("profile")
    try write(
      credentials: "[default]\naws_access_key_id = K\naws_secret_access_key = s\n",
      config: "[default]\nregion = eu-west-3\nendpoint_url = \(moto.endpoint)\n")
    let store = try StoreConfiguration.fromEnvironment([
      "HOME": directory.path, "BACKUP_STORE": "s3://\(bucket)/x",
    ]).open()
    try store.put("k", [1, 2])
    #expect(try store.readAll("k", limit: 2) == [1, 2])
  }
}

extension StoreConfiguration {
  /// The credentials that a bucket would be opened with.
  static func find(_ variables: [String: String]) throws -> Credentials {
    let configuration = try fromEnvironment(variables)
    if let problem = configuration.problem { throw problem }
    if let given = configuration.credentials { return given }
    return try #require(configuration.lookup).source().credentials(cancellation: Cancellation())
  }
}
