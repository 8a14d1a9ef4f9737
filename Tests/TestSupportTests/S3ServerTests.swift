import TestSupport
import Testing

@Suite struct S3ServerTests {
  @Test(arguments: S3Server.Kind.allCases)
  func storesAnObject(kind: S3Server.Kind) throws {
    let server = try S3Server.shared(kind)
    let bucket = try server.createBucket()
    let text = try server.python(
      """
      s3.put_object(Bucket='\(bucket)', Key='a/b', Body=b'content')
      print(s3.get_object(Bucket='\(bucket)', Key='a/b')['Body'].read().decode())
      print([o['Key'] for o in s3.list_objects_v2(Bucket='\(bucket)')['Contents']])
      """)
    #expect(text == "content\n['a/b']")
  }

  @Test func seaweedFSRefusesTheUnsigned() throws {
    let server = try S3Server.shared(.seaweedFS)
    let bucket = try server.createBucket()
    #expect(LoopbackPort.httpStatus(server.port, path: "/\(bucket)/key") == 403)
  }

  @Test func isGoneAfterAKill() throws {
    let server = try S3Server(.moto)
    #expect(LoopbackPort.httpStatus(server.port) == 200)
    try server.kill()
    #expect(!server.isRunning)
    #expect(!LoopbackPort.answers(server.port))
  }
}
