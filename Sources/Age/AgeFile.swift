import Crypto

/// An encrypted file that is read by ranges of its plaintext.
///
/// May be used from several threads at once. No byte of a chunk is given out before the chunk has
/// been found unchanged and in its place.
public final class AgeFile: Sendable {
  /// Gives the bytes of a range of the encrypted file in order, in pieces. Throws when there are
  /// fewer.
  public typealias RangedRead =
    @Sendable (Range<Int>, (UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// Bytes of plaintext.
  public let plainSize: Int
  private let payload: AgePayload
  /// Where the first chunk begins in the encrypted file.
  private let start: Int
  private let size: Int
  private let chunks: Int
  private let readRange: RangedRead

  /// Reads the header, and the last chunk: a file that lost its end is found out before anything
  /// of it is used.
  ///
  /// - Parameters:
  ///   - size: bytes of the encrypted file.
  ///   - identities: tried in order.
  public init(size: Int, identities: [AgeIdentity], read: @escaping RangedRead) throws {
    self.size = size
    readRange = read
    let (header, bytes) = try Self.header(size: size, read)
    let fileKey = try Self.fileKey(header, identities)
    let nonceEnd = header.length + AgePayload.nonceSize
    guard nonceEnd <= size else { throw Self.truncated }
    var nonce = Array(bytes[header.length..<min(nonceEnd, bytes.count)])
    if nonce.count < AgePayload.nonceSize {
      nonce = []
      try read(header.length..<nonceEnd) { nonce.append(contentsOf: $0) }
    }
    payload = try AgePayload(fileKey: fileKey, nonce: nonce)
    start = nonceEnd
    guard let plainSize = AgePayload.plainSize(payload: size - start) else { throw Self.truncated }
    self.plainSize = plainSize
    chunks = max(1, (plainSize + AgePayload.chunkSize - 1) / AgePayload.chunkSize)
    try checkEnd()
  }

  /// Gives the plaintext of a range in order, in pieces of at most 64 KiB.
  ///
  /// - Throws: ``AgeError/Code/chunkDamaged``, ``AgeError/Code/truncated`` for a range that the
  ///   file does not hold, or what reading throws.
  public func read(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard range.lowerBound >= 0, range.upperBound <= plainSize else { throw Self.truncated }
    guard !range.isEmpty else { return }
    let first = range.lowerBound / AgePayload.chunkSize
    let last = (range.upperBound - 1) / AgePayload.chunkSize
    try decrypt(first...last) { chunk, plain in
      let offset = chunk * AgePayload.chunkSize
      let from = max(range.lowerBound - offset, 0)
      let to = min(range.upperBound - offset, plain.count)
      try body(UnsafeRawBufferPointer(rebasing: plain[from..<to]))
    }
  }

  private func checkEnd() throws {
    do {
      try decrypt(chunks - 1...chunks - 1) { _, _ in }
    } catch let error as AgeError where error.code == .chunkDamaged {
      // Cut at a chunk's end, it opens as one that is not the last.
      guard (try? decrypt(chunks - 1...chunks - 1, isLast: false) { _, _ in }) != nil else {
        throw error
      }
      throw Self.truncated
    }
  }

  private func decrypt(
    _ numbers: ClosedRange<Int>, isLast: Bool? = nil,
    _ body: (_ chunk: Int, _ plain: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let cipher = try ChaCha20Poly1305(key: payload.key)
    var sealed: [UInt8] = []
    sealed.reserveCapacity(AgePayload.sealedSize)
    var plain = [UInt8](repeating: 0, count: AgePayload.chunkSize)
    var chunk = numbers.lowerBound
    func open() throws {
      let count = sealed.count - ChaCha20Poly1305.tagLength
      guard count >= 0 else { throw Self.truncated }
      let nonce = AgePayload.nonce(chunk: chunk, isLast: isLast ?? (chunk == chunks - 1))
      try plain.withUnsafeMutableBytes { plain in
        let out = UnsafeMutableRawBufferPointer(rebasing: plain[..<count])
        do {
          try sealed.withUnsafeBytes { try cipher.open($0, nonce: nonce, into: out) }
        } catch let error as CryptoError where error.code == .authenticationFailed {
          throw AgeError(
            .chunkDamaged,
            "chunk \(chunk) of the encrypted file was changed, or stands in another's place")
        }
        try body(chunk, UnsafeRawBufferPointer(out))
      }
      sealed.removeAll(keepingCapacity: true)
      chunk += 1
    }
    let from = start + numbers.lowerBound * AgePayload.sealedSize
    let to = min(start + (numbers.upperBound + 1) * AgePayload.sealedSize, size)
    try readRange(from..<to) { piece in
      var rest = piece
      while rest.count > 0 {
        let taken = min(rest.count, AgePayload.sealedSize - sealed.count)
        sealed.append(contentsOf: rest.prefix(taken))
        rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        if sealed.count == AgePayload.sealedSize { try open() }
      }
    }
    if chunk <= numbers.upperBound { try open() }
  }

  // MARK: Header

  private static func header(
    size: Int, _ read: RangedRead
  ) throws -> (AgeHeader, [UInt8]) {
    var bytes: [UInt8] = []
    var wanted = 4096
    while true {
      let end = min(wanted, size)
      try read(bytes.count..<end) { bytes.append(contentsOf: $0) }
      if let header = try AgeHeader(parsing: bytes) { return (header, bytes) }
      guard end < size else { throw truncated }
      wanted *= 4
    }
  }

  static func fileKey(
    _ header: AgeHeader, _ identities: [AgeIdentity]
  ) throws -> [UInt8] {
    try AgeStanzas.check(header.stanzas)
    for identity in identities {
      for stanza in header.stanzas {
        guard let key = try AgeStanzas.unwrap(stanza, with: identity) else { continue }
        guard key.count == 16 else { throw AgeHeader.malformed }
        try header.check(fileKey: key)
        return key
      }
    }
    let kinds = Set(header.stanzas.map { $0.arguments[0] }).sorted().joined(separator: ", ")
    let passphrases = identities.filter { !$0.isKey }.count
    if kinds == "scrypt", !identities.isEmpty {
      throw AgeError(
        .wrongKey,
        passphrases > 0
          ? "the passphrase is not the one that the file was encrypted with"
          : "the file was encrypted with a passphrase, and only secret keys were given")
    }
    throw AgeError(
      .wrongKey,
      identities.isEmpty
        ? "the file is encrypted (\(kinds)) and no identity was given"
        : "none of the \(identities.count) identities opens the encrypted file (\(kinds))")
  }

  static var truncated: AgeError {
    AgeError(.truncated, "the encrypted file is cut short: its last chunk is missing or incomplete")
  }
}
