import ByteStream
import Gzip
import TestSupport
import Testing

@Suite struct MemberDecompressorTests {
  @Test("Every text comes back, at every level", arguments: GzipFixture.levels)
  func roundTrip(level: CompressionLevel) throws {
    for text in GzipFixture.texts {
      #expect(try GzipFixture.decompress(GzipFixture.member(text.bytes, level)) == text.bytes)
    }
  }

  @Test("A flipped bit never changes the text: it is noticed, or was of no matter")
  func flippedBits() throws {
    let text = Array("1\talpha\n2\tbeta\n".utf8)
    let member = try GzipFixture.member(text)
    var noticed = 0
    for bit in 0..<8 * member.count {
      var damaged = member
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let block = Block(capacity: 64)
      block.append(Array("before".utf8))
      let code = GzipFixture.code { try MemberDecompressor().decompress(damaged, into: block) }
      if code != nil { noticed += 1 }
      #expect(Array(block.bytes) == Array("before".utf8) + (code == nil ? text : []))
    }
    // What does not matter: MTIME, XFL, OS, the extra field's names, and padding.
    #expect(noticed > 8 * member.count - 8 * (6 + 4) - 12)
  }

  @Test("A member that was cut short or has something behind it is an error")
  func lengths() throws {
    let text = GzipFixture.texts[2].bytes
    let member = try GzipFixture.member(text)
    for length in [0, 1, 9, 11, 30, 1000, member.count - 8, member.count - 1] {
      let code = GzipFixture.code { _ = try GzipFixture.decompress(Array(member[..<length])) }
      #expect(code == .truncated, "\(length) bytes")
    }
    #expect(GzipFixture.code { _ = try GzipFixture.decompress(member + [0]) } == .lengthMismatch)
    let foreign = try Command.check("gzip", ["-c"], input: text).output
    #expect(try GzipFixture.decompress(foreign) == text)
    #expect(GzipFixture.code { _ = try GzipFixture.decompress(foreign + [0]) } == .lengthMismatch)
    let short = Array(foreign.dropLast())
    #expect(GzipFixture.code { _ = try GzipFixture.decompress(short) } != nil)
  }

  @Test("A member that announces gigabytes does not make us allocate them")
  func hugeAnnouncement() throws {
    var member = try GzipFixture.member(Array("x".utf8))
    member[member.count - 1] = 0xFF
    #expect(GzipFixture.code { _ = try GzipFixture.decompress(member) } == .lengthMismatch)
  }
}
