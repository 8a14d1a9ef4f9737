import ByteStream
import Foundation
import ObjectStore
import TestSupport
import Testing

/// The S3 store against two real servers.
@Suite struct S3StoreTests {
  @Test(arguments: StoreConformance.allCases)
  func conformsOnSeaweedFS(_ check: StoreConformance) throws {
    try check.run(
      on: SharedBucket.seaweedFS(), quirks: [.sortsByFolder, .changesBackslashes])
  }

  @Test(arguments: StoreConformance.allCases)
  func conformsOnMoto(_ check: StoreConformance) throws {
    try check.run(on: SharedBucket.moto(), quirks: .inventsUploadTimes)
  }
}

/// One bucket on each shared server, for the whole run.
enum SharedBucket {
  private static let seaweedBucket = Result {
    try S3Server.shared(.seaweedFS).createBucket("conformance")
  }
  private static let motoBucket = Result { try S3Server.shared(.moto).createBucket("conformance") }

  static func seaweedFSBucket() throws -> String { try seaweedBucket.get() }

  static func seaweedFS() throws -> S3Store {
    try store(S3Server.shared(.seaweedFS), bucket: seaweedBucket.get())
  }

  static func moto() throws -> S3Store {
    try store(S3Server.shared(.moto), bucket: motoBucket.get())
  }

  /// A store of a server, with waits that suit tests.
  static func store(
    _ server: S3Server, bucket: String, endpoint: String? = nil,
    change: (inout S3Settings) -> Void = { _ in }
  ) throws -> S3Store {
    var settings = S3Settings(endpoint: endpoint ?? server.endpoint, region: server.region)
    settings.partSize = 5 << 20
    settings.firstRetryDelay = 0.02
    settings.stallTimeout = 20
    settings.deadline = 60
    change(&settings)
    return try S3Store(
      bucket: bucket, settings: settings,
      credentials: FixedCredentials(
        Credentials(accessKey: server.accessKey, secretKey: server.secretKey)))
  }
}
