import Crypto

/// Whom a file is encrypted to.
public enum AgeRecipient: Hashable, Sendable {
  /// An X25519 public key, 32 bytes.
  case x25519([UInt8])
  /// A passphrase, with the base-2 logarithm of scrypt's work factor. Alone in its file.
  case passphrase(String, logN: Int)

  /// Work for a passphrase that takes about a second: age's own choice.
  public static let defaultLogN = 18

  /// Reads `age1…`; throws ``AgeError/Code/malformedKey``.
  public init(_ text: String) throws {
    guard let (prefix, bytes) = Bech32.decode(text), prefix == "age", bytes.count == 32,
      text.hasPrefix("age1")
    else {
      // The text may be a secret key that was put in the wrong place.
      throw AgeError(
        .malformedKey, "a recipient is not an age public key: it should be age1 and 58 letters")
    }
    self = .x25519(bytes)
  }

  /// Reads recipients separated by commas, blanks or line ends; `#` begins a comment line.
  public static func list(_ text: String) throws -> [AgeRecipient] {
    try text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
      .flatMap { $0.split { $0 == "," || $0 == " " || $0 == "\t" } }
      .map { try AgeRecipient(String($0)) }
  }

  /// `age1…` for a key; a passphrase says nothing of itself.
  public var text: String {
    switch self {
    case .x25519(let key): Bech32.encode(key, prefix: "age")
    case .passphrase: "passphrase"
    }
  }
}

extension AgeRecipient: CustomStringConvertible, CustomReflectable {
  public var description: String { text }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What opens a file. Says nothing of its secret when it is printed.
public enum AgeIdentity: Hashable, Sendable {
  /// An X25519 secret key, 32 bytes.
  case x25519([UInt8])
  case passphrase(String)

  /// A new key.
  public static func generate() throws -> AgeIdentity { .x25519(try SecureRandom.bytes(32)) }

  /// Reads `AGE-SECRET-KEY-1…`; throws ``AgeError/Code/malformedKey``.
  public init(_ text: String) throws {
    guard let (prefix, bytes) = Bech32.decode(text), prefix == "age-secret-key-",
      bytes.count == 32, text == text.uppercased()
    else {
      throw AgeError(
        .malformedKey,
        "an identity is not an age secret key: it should be AGE-SECRET-KEY-1 and 58 letters")
    }
    self = .x25519(bytes)
  }

  /// Reads an identity file: a secret key a line; empty lines and those with `#` are passed over.
  public static func list(file text: String) throws -> [AgeIdentity] {
    let lines = text.split(whereSeparator: \.isNewline).map { line in
      String(line.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
    }
    let identities = try lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }.map {
      try AgeIdentity($0)
    }
    guard !identities.isEmpty else {
      throw AgeError(.malformedKey, "the identity file holds no key")
    }
    return identities
  }

  /// Whether it is a secret key, and not a passphrase.
  public var isKey: Bool {
    if case .x25519 = self { return true }
    return false
  }

  /// The public key; nil for a passphrase.
  public func recipient() throws -> AgeRecipient? {
    guard case .x25519(let secret) = self else { return nil }
    return .x25519(try X25519.publicKey(of: secret))
  }

  /// `AGE-SECRET-KEY-1…`: to be written to a file that only its owner can read, and nowhere else.
  public var secretText: String {
    switch self {
    case .x25519(let secret): Bech32.encode(secret, prefix: "age-secret-key-").uppercased()
    case .passphrase(let text): text
    }
  }
}

extension AgeIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "AgeIdentity(hidden)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
