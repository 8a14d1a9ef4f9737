import ByteStream
import Gzip
import TestSupport
import Testing

@Suite struct MemberCompressorTests {
  @Test("gunzip and Python's zlib read what we write", arguments: GzipFixture.levels)
  func foreignReaders(level: CompressionLevel) throws {
    var chain: [UInt8] = []
    var whole: [UInt8] = []
    for text in GzipFixture.texts {
      chain += try GzipFixture.member(text.bytes, level)
      whole += text.bytes
    }
    #expect(try Command.check("gunzip", ["-c"], input: chain).output == whole)
    let directory = try TestDirectory()
    let file = try directory.write(chain, to: "chain.gz")
    let python = "import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())"
    #expect(try Command.check("python3", ["-c", python, file]).output == whole)
  }

  @Test("A member says its own length, and the same text gives the same bytes")
  func header() throws {
    let text = GzipFixture.texts[2].bytes
    let field = GzipExtraField(id: 0x4950, 99)
    let member = try GzipFixture.member(text, fields: [field])
    let header = try #require(try GzipHeader.parse(member))
    #expect(header.memberLength == member.count)
    #expect(header[0x4950] == 99)
    #expect(header.length == 36)
    #expect(member[4..<10].elementsEqual([0, 0, 0, 0, 0, 255]))
    #expect(try GzipFixture.member(text, fields: [field]) == member)
    // RFC 1952: SI1 is 'P', SI2 is 'K', then the length of the data, low byte first.
    #expect(member[12..<16].elementsEqual([0x50, 0x4B, 8, 0]))
  }

  @Test("One compressor makes many members, and noise does not grow by much")
  func reuse() throws {
    let compressor = try MemberCompressor(.fast)
    let output = Block(capacity: 1 << 20)
    for text in GzipFixture.texts + GzipFixture.texts.reversed() {
      output.reset()
      let length = try compressor.compress(text.bytes, into: output)
      #expect(length == output.count)
      #expect(length < text.bytes.count + text.bytes.count / 100 + 64)
      #expect(try GzipFixture.decompress(Array(output.bytes)) == text.bytes)
    }
  }

  @Test("An empty member is a member")
  func empty() throws {
    let member = MemberCompressor.empty(fields: [GzipExtraField(id: 0x4950, 1 << 40)])
    #expect(member.count == 46)
    #expect(try GzipHeader.parse(member)?.memberLength == 46)
    #expect(try GzipHeader.parse(member)?[0x4950] == 1 << 40)
    #expect(try GzipFixture.decompress(member) == [])
    #expect(try Command.check("gunzip", ["-c"], input: member).output == [])
  }

  @Test("A level that there is not is an error")
  func badLevel() {
    #expect(GzipFixture.code { _ = try MemberCompressor(.small(10)) } == .failed)
    #expect(GzipFixture.code { _ = try MemberCompressor(.small(0)) } == .failed)
  }
}
