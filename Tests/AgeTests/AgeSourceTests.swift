import Age
import ByteStream
import Crypto
import Testing

/// The same files as a stream.
@Suite struct AgeSourceTests {
  /// Gives a few bytes at a time, as a pipe may.
  private final class Trickle: ByteSource {
    private var rest: ArraySlice<UInt8>
    private let most: Int

    init(_ bytes: [UInt8], most: Int) {
      rest = bytes[...]
      self.most = most
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
      let piece = rest.prefix(min(most, buffer.count))
      buffer.copyBytes(from: piece)
      rest = rest.dropFirst(piece.count)
      return piece.count
    }
  }

  private static func decrypt(
    _ bytes: [UInt8], _ identity: AgeIdentity, most: Int
  ) throws -> [UInt8] {
    let source = try AgeSource(Trickle(bytes, most: most), identities: [identity])
    var plain: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 10_007)
    while true {
      let count = try piece.withUnsafeMutableBytes { try source.read(into: $0) }
      guard count > 0 else { return plain }
      plain += piece[..<count]
    }
  }

  @Test(arguments: [0, 1, 65535, 65536, 65537, 131_072, 300_001])
  func opensWhatWasSealed(_ size: Int) throws {
    let identity = try AgeIdentity.generate()
    let recipient = try #require(try identity.recipient())
    let plain = try SecureRandom.bytes(size)
    let sealed = try AgeFileTests.encrypt(plain, to: [recipient])
    for most in [997, 65552, 1 << 20] {
      let isSame = try Self.decrypt(sealed, identity, most: most) == plain
      #expect(isSame)
    }
  }

  @Test func missesAnEndAndNoticesChanges() throws {
    let identity = try AgeIdentity.generate()
    let recipient = try #require(try identity.recipient())
    let sealed = try AgeFileTests.encrypt(SecureRandom.bytes(200_000), to: [recipient])
    let header = sealed.count - 200_000 - 4 * 16
    // At the ends of chunks, in the middle of one, and in the header.
    for length in [header + 65552, header + 2 * 65552, header + 100_000, header, 40, 0] {
      let error = #expect(throws: AgeError.self) {
        try Self.decrypt(Array(sealed[..<length]), identity, most: 4096)
      }
      #expect(error?.code == .truncated || length == header + 100_000, "\(length)")
    }
    var changed = sealed
    changed[header + 70_000] ^= 1
    let error = #expect(throws: AgeError.self) {
      try Self.decrypt(changed, identity, most: 4096)
    }
    #expect(error?.code == .chunkDamaged)
    #expect(throws: AgeError.self) {
      try Self.decrypt(sealed, AgeIdentity.generate(), most: 4096)
    }
  }
}
