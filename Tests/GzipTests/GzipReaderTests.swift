import ByteStream
import Gzip
import TestSupport
import Testing

@Suite struct GzipReaderTests {
  @Test("Chains of any writer are read, in pieces of any size", arguments: [1, 7, 4096, Int.max])
  func chains(pieceSize: Int) throws {
    var chain: [UInt8] = []
    var whole: [UInt8] = []
    for (number, text) in GzipFixture.texts.enumerated() {
      let bytes = Array(text.bytes.prefix(300_000))
      if number.isMultiple(of: 2) {
        chain += try GzipFixture.member(bytes, GzipFixture.levels[number % 3])
      } else {
        chain += try Command.check("gzip", ["-c", "-9"], input: bytes).output
      }
      whole += bytes
    }
    #expect(try GzipFixture.read(chain, pieceSize: pieceSize) == whole)
  }

  @Test("Headers with a name, a comment and a checksum are read")
  func headers() throws {
    let python = """
      import sys, zlib, struct
      body = zlib.compressobj(6, zlib.DEFLATED, -15)
      data = body.compress(b'text') + body.flush()
      head = bytes([31, 139, 8, 2 | 4 | 8 | 16, 1, 2, 3, 4, 0, 3]) + struct.pack('<H', 6)
      head += b'AB' + struct.pack('<H', 2) + b'zz' + b'name\\0' + b'a comment\\0'
      head += struct.pack('<H', zlib.crc32(head) & 0xffff)
      sys.stdout.buffer.write(head + data + struct.pack('<II', zlib.crc32(b'text'), 4))
      """
    let bytes = try Command.check("python3", ["-c", python]).output
    #expect(try GzipFixture.read(bytes, pieceSize: 1) == Array("text".utf8))
    let header = try #require(try GzipHeader.parse(bytes))
    #expect(header.extraFields == [GzipExtraField(id: 0x4241, data: Array("zz".utf8))])
    #expect(header.memberLength == nil)
    var damaged = bytes
    damaged[20] ^= 1
    #expect(GzipFixture.code { _ = try GzipFixture.read(damaged) } == .checksumMismatch)
  }

  @Test("Each kind of damage has its own error")
  func damage() throws {
    let text = Array(GzipFixture.texts[2].bytes.prefix(200_000))
    let member = try GzipFixture.member(text)
    let chain = member + member
    #expect(GzipFixture.code { _ = try GzipFixture.read([]) } == .truncated)
    #expect(GzipFixture.code { _ = try GzipFixture.read(Array("SELECT".utf8)) } == .notGzip)
    for length in [1, 5, 30, member.count - 1, member.count + 3, chain.count - 1] {
      let code = GzipFixture.code { _ = try GzipFixture.read(Array(chain[..<length])) }
      #expect(code == .truncated, "\(length) bytes")
    }
    #expect(
      GzipFixture.code { _ = try GzipFixture.read(chain + Array("junk".utf8)) }
        == .trailingGarbage)
    var flipped = chain
    flipped[chain.count - 6] ^= 0x10
    #expect(GzipFixture.code { _ = try GzipFixture.read(flipped) } == .checksumMismatch)
    flipped = chain
    flipped[chain.count - 2] ^= 0x10
    #expect(GzipFixture.code { _ = try GzipFixture.read(flipped) } == .checksumMismatch)
    flipped = chain
    flipped[2] = 9
    #expect(GzipFixture.code { _ = try GzipFixture.read(flipped) } == .corrupt)
  }

  @Test("An error says where the damaged member begins")
  func place() throws {
    let member = try GzipFixture.member(Array("text".utf8))
    do {
      _ = try GzipFixture.read(member + member.dropLast())
      Issue.record("a truncated chain was read")
    } catch let error as GzipError {
      #expect(error.memberOffset == member.count)
    }
  }

  @Test("Random bytes never do more than throw")
  func noise() throws {
    var random = SeededGenerator(seed: 11)
    let member = try GzipFixture.member(Array(GzipFixture.texts[2].bytes.prefix(5000)))
    for _ in 0..<300 {
      var damaged = member
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] =
          UInt8.random(in: 0...255, using: &random)
      }
      let read = try? GzipFixture.read(damaged)
      let text = Array(GzipFixture.texts[2].bytes.prefix(5000))
      #expect(read == nil || read == text)
    }
  }
}
