import Age
import ByteStream
import Crypto
import Foundation
import TestSupport
import Testing

/// A sink into memory.
private final class MemorySink: ByteSink {
  var bytes: [UInt8] = []
  var isFinished = false
  func write(_ piece: UnsafeRawBufferPointer) { bytes.append(contentsOf: piece) }
  func finish() { isFinished = true }
  func abort() { bytes = [] }
}

@Suite struct AgeFileTests {
  private static let chunk = 64 << 10

  static func encrypt(_ plain: [UInt8], to recipients: [AgeRecipient], piece: Int = 1 << 20) throws
    -> [UInt8]
  {
    let memory = MemorySink()
    let sink = try AgeSink(to: recipients, into: memory)
    for start in stride(from: 0, to: plain.count, by: piece) {
      try sink.write(Array(plain[start..<min(start + piece, plain.count)]))
    }
    try sink.finish()
    #expect(memory.isFinished)
    return memory.bytes
  }

  static func open(_ bytes: [UInt8], _ identities: [AgeIdentity]) throws -> AgeFile {
    try AgeFile(size: bytes.count, identities: identities) { range, body in
      guard range.upperBound <= bytes.count else { throw AgeError(.truncated, "beyond the end") }
      try bytes[range].withUnsafeBytes { try body($0) }
    }
  }

  static func decrypt(_ bytes: [UInt8], _ identities: [AgeIdentity]) throws -> [UInt8] {
    let file = try open(bytes, identities)
    var plain: [UInt8] = []
    try file.read(0..<file.plainSize) { plain.append(contentsOf: $0) }
    return plain
  }

  private func recipient(_ identity: AgeIdentity) throws -> AgeRecipient {
    try #require(try identity.recipient())
  }

  @Test(arguments: [0, 1, 65535, 65536, 65537, 131_072, 300_001])
  func opensWhatItSealed(_ size: Int) throws {
    let identity = try AgeIdentity.generate()
    let plain = try SecureRandom.bytes(size)
    let sealed = try Self.encrypt(plain, to: [recipient(identity)], piece: 7919)
    let isSame = try Self.decrypt(sealed, [identity]) == plain
    #expect(isSame)
  }

  @Test func readsRanges() throws {
    let identity = try AgeIdentity.generate()
    let plain = try SecureRandom.bytes(400_000)
    let file = try Self.open(Self.encrypt(plain, to: [recipient(identity)]), [identity])
    #expect(file.plainSize == plain.count)
    for range in [
      0..<1, 0..<400_000, 65535..<65537, 65536..<131_072, 399_999..<400_000, 70_000..<70_000,
      100_000..<333_333,
    ] {
      var read: [UInt8] = []
      try file.read(range) { read.append(contentsOf: $0) }
      let isSame = read == Array(plain[range])
      #expect(isSame, "\(range)")
    }
    expectCode(.truncated) { try file.read(399_999..<400_001) { _ in } }
  }

  @Test func severalRecipientsOrAPassphrase() throws {
    let identities = try (0..<3).map { _ in try AgeIdentity.generate() }
    let plain = Array("several".utf8)
    let sealed = try Self.encrypt(plain, to: identities.map { try recipient($0) })
    for identity in identities { #expect(try Self.decrypt(sealed, [identity]) == plain) }
    let other = try AgeIdentity.generate()
    expectCode(.wrongKey) { _ = try Self.decrypt(sealed, [other]) }
    expectCode(.wrongKey) { _ = try Self.decrypt(sealed, []) }
    #expect(try Self.decrypt(sealed, [other, identities[2]]) == plain)

    let secret = try Self.encrypt(plain, to: [.passphrase("correct horse", logN: 10)])
    #expect(try Self.decrypt(secret, [.passphrase("correct horse")]) == plain)
    expectCode(.wrongKey) { _ = try Self.decrypt(secret, [.passphrase("wrong horse")]) }
    expectCode(.malformedKey) {
      _ = try Self.encrypt(
        plain, to: [.passphrase("x", logN: 10), recipient(identities[0])])
    }
    expectCode(.malformedKey) { _ = try Self.encrypt(plain, to: []) }
  }

  @Test func everyDamageHasItsError() throws {
    let identity = try AgeIdentity.generate()
    let sealed = try Self.encrypt(SecureRandom.bytes(200_000), to: [recipient(identity)])
    let start = sealed.count - (200_000 + 4 * 16)
    let step = Self.chunk + 16
    func change(_ edit: (inout [UInt8]) -> Void) -> [UInt8] {
      var bytes = sealed
      edit(&bytes)
      return bytes
    }
    func expect(_ code: AgeError.Code, _ bytes: [UInt8], _ what: Comment) {
      do {
        _ = try Self.decrypt(bytes, [identity])
        Issue.record(what)
      } catch { #expect((error as? AgeError)?.code == code, what) }
    }
    expect(.chunkDamaged, change { $0[start + 5] ^= 1 }, "the first chunk")
    expect(.chunkDamaged, change { $0[sealed.count - 1] ^= 1 }, "the last tag")
    expect(.chunkDamaged, change { $0[start - 1] ^= 1 }, "the nonce")
    expect(.truncated, Array(sealed.prefix(start + 2 * step)), "cut between chunks")
    expect(.chunkDamaged, Array(sealed.dropLast(1)), "cut within the last chunk")
    expect(.truncated, Array(sealed.prefix(start + 7)), "cut within the first tag")
    expect(.truncated, Array(sealed.prefix(start - 3)), "cut within the nonce")
    expect(.truncated, Array(sealed.prefix(60)), "cut within the header")
    expect(.notAge, change { $0[0] ^= 1 }, "the first letter")
    expect(.chunkDamaged, sealed + [0], "something appended")
    let first = Array(sealed[start..<start + step])
    let second = Array(sealed[start + step..<start + 2 * step])
    expect(
      .chunkDamaged, change { $0.replaceSubrange(start..<start + 2 * step, with: second + first) },
      "two chunks in each other's place")
    expect(
      .chunkDamaged, change { $0.replaceSubrange(start + step..<start + 2 * step, with: first) },
      "a chunk twice")
    let mac = try #require(sealed.firstRange(of: Array("--- ".utf8)))
    expect(
      .headerDamaged,
      change {
        let byte = $0[mac.upperBound]
        $0[mac.upperBound] = byte == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      }, "the header's code")
  }

  /// No plaintext of a damaged chunk is given out.
  @Test func givesNothingOfADamagedChunk() throws {
    let identity = try AgeIdentity.generate()
    let plain = try SecureRandom.bytes(200_000)
    var sealed = try Self.encrypt(plain, to: [recipient(identity)])
    sealed[sealed.count - (200_000 + 4 * 16) + Self.chunk + 16 + 40_000] ^= 1
    let file = try Self.open(sealed, [identity])
    var read: [UInt8] = []
    expectCode(.chunkDamaged) {
      try file.read(0..<file.plainSize) { read.append(contentsOf: $0) }
    }
    let isFirstChunk = read == Array(plain.prefix(Self.chunk))
    #expect(isFirstChunk)
  }

  // MARK: Keys

  @Test func keysAreWrittenAndRead() throws {
    let identity = try AgeIdentity.generate()
    #expect(try AgeIdentity(identity.secretText) == identity)
    #expect(identity.secretText.hasPrefix("AGE-SECRET-KEY-1"))
    let recipient = try recipient(identity)
    #expect(try AgeRecipient(recipient.text) == recipient)
    #expect(recipient.text.hasPrefix("age1"))
    let file = "# created: today\n\n\(identity.secretText)\n"
    #expect(try AgeIdentity.list(file: file) == [identity])
    #expect(try AgeRecipient.list("\(recipient.text), \(recipient.text)\n# x\n").count == 2)
  }

  @Test func malformedKeysSayNothingOfThemselves() throws {
    let secret = try AgeIdentity.generate().secretText
    for text in [secret, secret.lowercased(), "age1", "", "age1qqqq", "ssh-ed25519 AAAA"] {
      do {
        _ = try AgeRecipient(text)
        Issue.record("took \(text)")
      } catch { #expect(text.isEmpty || text == "age1" || !"\(error)".contains(text)) }
    }
    #expect(throws: AgeError.self) { try AgeIdentity(String(secret.dropLast())) }
    #expect(throws: AgeError.self) { try AgeIdentity.list(file: "# nothing\n") }
    var dumped = ""
    dump(try AgeIdentity(secret), to: &dumped)
    let printed = "\(try AgeIdentity(secret))"
    #expect(!dumped.contains("SECRET"))
    #expect(!printed.contains("SECRET"))
  }

  // MARK: Debian's age

  @Test func debiansAgeDecryptsOurs() throws {
    let folder = try TestDirectory()
    let identity = try AgeIdentity.generate()
    let plain = try SecureRandom.bytes(200_000)
    try folder.write(identity.secretText + "\n", to: "key")
    try folder.write(Self.encrypt(plain, to: [recipient(identity)]), to: "ours.age")
    _ = try Command.check(
      "/usr/bin/age",
      ["-d", "-i", folder.file("key"), "-o", folder.file("plain"), folder.file("ours.age")])
    let isSame = try folder.read("plain") == plain
    #expect(isSame)
  }

  @Test func weDecryptDebiansAge() throws {
    let folder = try TestDirectory()
    let plain = try SecureRandom.bytes(150_000)
    try folder.write(plain, to: "plain")
    _ = try Command.check("/usr/bin/age-keygen", ["-o", folder.file("key")])
    let identities = try AgeIdentity.list(file: String(decoding: folder.read("key"), as: UTF8.self))
    let ours = try AgeIdentity.generate()
    _ = try Command.check(
      "/usr/bin/age",
      [
        "-r", recipient(identities[0]).text, "-r", recipient(ours).text, "-o",
        folder.file("theirs.age"), folder.file("plain"),
      ])
    let sealed = try folder.read("theirs.age")
    for identity in [identities[0], ours] {
      let isSame = try Self.decrypt(sealed, [identity]) == plain
      #expect(isSame)
    }
  }

  private func expectCode(
    _ code: AgeError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
  ) {
    do {
      try body()
      Issue.record("no error, expected \(code)", sourceLocation: sourceLocation)
    } catch { #expect((error as? AgeError)?.code == code, sourceLocation: sourceLocation) }
  }
}
