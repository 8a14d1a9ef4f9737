public import ByteStream
import Crypto

/// Encrypts what is written to it, and passes it on.
public final class AgeSink: ByteSink {
  private let base: any ByteSink
  private let cipher: ChaCha20Poly1305
  private var plain: [UInt8] = []
  private var sealed = [UInt8](repeating: 0, count: AgePayload.sealedSize)
  private var chunk = 0
  private var isOpen = true

  /// Writes the header.
  ///
  /// - Parameters:
  ///   - recipients: at least one; a passphrase stands alone.
  ///   - base: takes the encrypted file; it is finished and aborted together with this one.
  public init(to recipients: [AgeRecipient], into base: any ByteSink) throws {
    let hasPassphrase = recipients.contains {
      if case .passphrase = $0 { return true }
      return false
    }
    guard !recipients.isEmpty, !hasPassphrase || recipients.count == 1 else {
      throw AgeError(
        .malformedKey, "a file is encrypted to one or more public keys, or to one passphrase")
    }
    let fileKey = try SecureRandom.bytes(16)
    let header = AgeHeader(
      stanzas: try recipients.map { try AgeStanzas.wrap(fileKey, for: $0) })
    let nonce = try SecureRandom.bytes(AgePayload.nonceSize)
    cipher = try ChaCha20Poly1305(key: try AgePayload(fileKey: fileKey, nonce: nonce).key)
    self.base = base
    plain.reserveCapacity(AgePayload.chunkSize)
    try base.write(try header.encoded(fileKey: fileKey) + nonce)
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard isOpen else { throw AgeError(.closed, "the encrypted file was already finished") }
    var rest = bytes
    while rest.count > 0 {
      // A chunk is sealed only when there is more: the last one is marked.
      if plain.count == AgePayload.chunkSize { try seal(isLast: false) }
      let taken = min(rest.count, AgePayload.chunkSize - plain.count)
      plain.append(contentsOf: rest.prefix(taken))
      rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
    }
  }

  public func finish() throws {
    guard isOpen else { throw AgeError(.closed, "the encrypted file was already finished") }
    try seal(isLast: true)
    try base.finish()
    isOpen = false
  }

  public func abort() {
    isOpen = false
    base.abort()
  }

  private func seal(isLast: Bool) throws {
    let count = plain.count + ChaCha20Poly1305.tagLength
    try plain.withUnsafeBytes { plain in
      try sealed.withUnsafeMutableBytes { sealed in
        let out = UnsafeMutableRawBufferPointer(rebasing: sealed[..<count])
        try cipher.seal(
          plain, nonce: AgePayload.nonce(chunk: chunk, isLast: isLast), into: out)
        try base.write(UnsafeRawBufferPointer(out))
      }
    }
    chunk += 1
    plain.removeAll(keepingCapacity: true)
  }
}
