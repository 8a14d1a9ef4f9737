import Testing

@testable import ObjectStore

@Suite struct S3EndpointTests {
  private func endpoint(
    _ text: String?, region: String? = nil, pathStyle: Bool? = nil, bucket: String = "bucket"
  ) throws -> S3Endpoint {
    try S3Endpoint(
      S3Settings(endpoint: text, region: region, pathStyle: pathStyle), bucket: bucket)
  }

  @Test func aws() throws {
    let plain = try endpoint(nil, region: "eu-west-3")
    #expect(plain.host(bucket: "bucket") == "bucket.s3.eu-west-3.amazonaws.com")
    #expect(plain.path(bucket: "bucket", key: "a b/c+d") == "/a%20b/c%2Bd")
    #expect(plain.path(bucket: "bucket", key: nil) == "/")
    #expect(plain.partCap == 10_000)
    #expect(try endpoint("https://s3.eu-west-3.amazonaws.com").region == "eu-west-3")
    #expect(try endpoint(nil).region == "us-east-1")
    // No certificate covers a bucket with dots below the host.
    let dotted = try endpoint(nil, bucket: "my.bucket")
    #expect(dotted.host(bucket: "my.bucket") == "s3.us-east-1.amazonaws.com")
    #expect(dotted.path(bucket: "my.bucket", key: "k") == "/my.bucket/k")
  }

  @Test func scaleway() throws {
    let endpoint = try endpoint("https://s3.fr-par.scw.cloud")
    #expect(endpoint.region == "fr-par")
    #expect(endpoint.partCap == 1000)
    #expect(endpoint.path(bucket: "bucket", key: "k") == "/bucket/k")
  }

  @Test func others() throws {
    #expect(try endpoint("s3.gra.io.cloud.ovh.net").region == "gra")
    #expect(try endpoint("https://s3.eu-central-003.backblazeb2.com").region == "eu-central-003")
    #expect(try endpoint("https://abc.r2.cloudflarestorage.com").region == "auto")
    #expect(try endpoint("https://abc.eu.r2.cloudflarestorage.com").wantsEqualParts)
    #expect(try !endpoint("https://s3.gra.io.cloud.ovh.net").wantsEqualParts)
    let local = try endpoint("http://127.0.0.1:8333/")
    #expect(local.host(bucket: "bucket") == "127.0.0.1:8333")
    #expect(local.path(bucket: "bucket", key: nil) == "/bucket")
    let below = try endpoint("https://gateway.example:443/storage/s3/", pathStyle: true)
    #expect(below.authority == "gateway.example")
    #expect(below.path(bucket: "bucket", key: "k") == "/storage/s3/bucket/k")
    #expect(try endpoint("http://h:9000", pathStyle: false).host(bucket: "b") == "b.h:9000")
  }

  @Test(arguments: ["ftp://host", "https://", "https://user:pw@host", "https://:80", "https://a b"])
  func refuses(_ text: String) {
    expectCode(.invalidLocation) { _ = try endpoint(text) }
  }
}

@Suite struct PartPlanTests {
  @Test func fitsWhatIsExpected() {
    for cap in [1000, 10_000] {
      for expected in [0, 1 << 20, 1 << 30, 50 << 30, 1 << 40] {
        let plan = PartPlan(partSize: 8 << 20, expectedSize: expected, cap: cap)
        #expect(plan.firstSize >= 8 << 20)
        #expect(plan.firstSize * (cap / 2) >= min(expected, cap / 2 * PartPlan.largest))
      }
    }
    #expect(PartPlan(partSize: 8 << 20, expectedSize: 4 << 30, cap: 1000).firstSize == 9 << 20)
  }

  @Test func growsSoThatMuchMoreFits() {
    for cap in [1000, 10_000] {
      let plan = PartPlan(partSize: 8 << 20, expectedSize: nil, cap: cap)
      let sizes = (0..<cap).map { plan.size(ofPart: $0) }
      #expect(sizes.prefix(cap / 2).allSatisfy { $0 == 8 << 20 })
      #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 <= $1 })
      #expect(sizes.allSatisfy { $0 <= PartPlan.largest })
      #expect(sizes.reduce(0, +) >= 30 * cap * (8 << 20))
    }
  }

  @Test func staysEqualWhereThatIsWanted() {
    let plan = PartPlan(partSize: 8 << 20, expectedSize: 200 << 30, cap: 10_000, isEqual: true)
    #expect(Set((0..<10_000).map { plan.size(ofPart: $0) }).count == 1)
    #expect(plan.firstSize * 10_000 >= 200 << 30)
  }

  @Test func neverBelowTheProtocolsLimit() {
    #expect(PartPlan(partSize: 1, expectedSize: nil, cap: 10_000).firstSize == 5 << 20)
  }
}
