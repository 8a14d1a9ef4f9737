import ObjectStore
import Testing

@Suite struct StoreConfigurationTests {
  @Test(arguments: [
    ("file:///var/backups/postgres", StoreLocation.directory(path: "/var/backups/postgres")),
    ("file:///var/my%20backups", .directory(path: "/var/my backups")),
    ("file://localhost/srv", .directory(path: "/srv")),
    ("/var/backups", .directory(path: "/var/backups")),
    ("s3://bucket", .s3(bucket: "bucket", prefix: "")),
    ("s3://bucket/", .s3(bucket: "bucket", prefix: "")),
    ("s3://my.bucket-1/a/b/", .s3(bucket: "my.bucket-1", prefix: "a/b")),
  ])
  func readsLocations(_ text: String, _ location: StoreLocation) throws {
    #expect(try StoreLocation(text) == location)
    #expect(
      try StoreLocation(location.description.split(separator: " ").joined(separator: "%20"))
        == location)
  }

  @Test(arguments: [
    "", "backups", "./backups", "file://backups/x", "file:///a%2", "s3://", "s3:///x", "s3://ab",
    "s3://bucket/a//b", "s3://bucket/../x", "s3://user:pw@bucket/x", "http://bucket/x",
    "gs://bucket", "s3://buck et/x",
  ])
  func refusesOthers(_ text: String) {
    expectCode(.invalidLocation) { _ = try StoreLocation(text) }
  }

  @Test func awsNames() throws {
    let configuration = try StoreConfiguration.fromEnvironment([
      "BACKUP_STORE": "s3://bucket/db", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
      "AWS_SESSION_TOKEN": "t", "AWS_REGION": "eu-west-3", "SCW_ACCESS_KEY": "x",
      "SCW_SECRET_KEY": "y", "BACKUP_S3_PART_SIZE": "16M", "BACKUP_S3_UPLOADS": "5",
      "BACKUP_S3_PATH_STYLE": "no", "BACKUP_S3_CONTENT_MD5": "off", "BACKUP_S3_LOCK_DAYS": "30",
    ])
    #expect(configuration.location == .s3(bucket: "bucket", prefix: "db"))
    #expect(
      configuration.credentials == Credentials(accessKey: "k", secretKey: "s", sessionToken: "t"))
    #expect(configuration.s3.region == "eu-west-3")
    #expect(configuration.s3.endpoint == nil)
    #expect(configuration.s3.partSize == 16 << 20)
    #expect(configuration.s3.uploads == 5)
    #expect(configuration.s3.pathStyle == false)
    #expect(!configuration.s3.contentMD5)
    #expect(configuration.s3.lockDays == 30)
    #expect(try configuration.open().description == "s3://bucket/db")
  }

  @Test func scalewayNames() throws {
    let names = ["SCW_ACCESS_KEY": "x", "SCW_SECRET_KEY": "y"]
    let plain = try StoreConfiguration.fromEnvironment(names)
    #expect(plain.s3.endpoint == "https://s3.fr-par.scw.cloud")
    #expect(plain.credentials?.accessKey == "x")
    let regional = try StoreConfiguration.fromEnvironment(
      names.merging(["CLOUD_REGION": "nl-ams"]) { $1 })
    #expect(regional.s3.endpoint == "https://s3.nl-ams.scw.cloud")
    // With both vendors' keys, the endpoint chooses.
    let both = names.merging(["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"]) { $1 }
    let pointed = try StoreConfiguration.fromEnvironment(
      both.merging(["BACKUP_S3_ENDPOINT": "https://s3.fr-par.scw.cloud"]) { $1 })
    #expect(pointed.credentials?.accessKey == "x")
    #expect(try StoreConfiguration.fromEnvironment(both).credentials?.accessKey == "k")
    #expect(try StoreConfiguration.fromEnvironment(both).s3.endpoint == nil)
  }

  @Test func cellarNames() throws {
    let configuration = try StoreConfiguration.fromEnvironment([
      "CELLAR_ADDON_HOST": "cellar-c2.services.clever-cloud.com", "CELLAR_ADDON_KEY_ID": "c",
      "CELLAR_ADDON_KEY_SECRET": "d",
    ])
    #expect(configuration.s3.endpoint == "https://cellar-c2.services.clever-cloud.com")
    #expect(configuration.credentials?.accessKey == "c")
  }

  @Test(arguments: [
    ("BACKUP_S3_PART_SIZE", "1M"), ("BACKUP_S3_PART_SIZE", "x"), ("BACKUP_S3_PART_CAP", "0"),
    ("BACKUP_S3_PATH_STYLE", "maybe"), ("BACKUP_S3_LOCK_MODE", "soft"), ("BACKUP_STORE", "nowhere"),
    ("BACKUP_S3_UPLOADS", "9999999999999999999"),
  ])
  func namesTheVariableThatIsWrong(_ name: String, _ value: String) {
    do {
      _ = try StoreConfiguration.fromEnvironment([name: value])
      Issue.record("accepted")
    } catch { #expect("\(error)".contains(name == "BACKUP_STORE" ? "nowhere" : name)) }
  }

  @Test func emptyVariablesAreUnset() throws {
    let configuration = try StoreConfiguration.fromEnvironment([
      "BACKUP_STORE": "", "BACKUP_S3_ENDPOINT": " ", "AWS_ACCESS_KEY_ID": "",
      "AWS_SECRET_ACCESS_KEY": "",
    ])
    #expect(configuration.location == nil)
    #expect(configuration.s3.endpoint == nil)
    #expect(configuration.credentials == nil)
    expectCode(.invalidLocation) { _ = try configuration.open() }
  }

  @Test func missingCredentialsAreSaid() throws {
    let configuration = StoreConfiguration(location: .s3(bucket: "bucket", prefix: ""))
    expectCode(.credentials) { _ = try configuration.open() }
  }
}
