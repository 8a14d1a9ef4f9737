import Synchronization

/// Takes secrets out of whatever is shown: the last line of defence, after the libraries, which
/// put none into their errors.
public final class Redactor: Sendable {
  private let secrets = Mutex<[String]>([])

  public init() {}

  /// Keeps `secret` out of all text from now on. One of fewer than four characters is left, since
  /// it would take ordinary words apart.
  public func add(_ secret: String?) {
    guard let secret, secret.utf8.count >= 4 else { return }
    // As it is, and as it stands in JSON.
    let forms = [secret, String(JSONValue.string(secret).compact.dropFirst().dropLast())]
    secrets.withLock { known in
      for form in forms where !known.contains(form) {
        known.append(form)
        // The longer first: a secret may hold another.
        known.sort { $0.utf8.count > $1.utf8.count }
      }
    }
  }

  /// Keeps the password of a database URL, or of a `keyword=value` string, out of all text, as
  /// written and as decoded.
  public func add(passwordsOf url: String?) {
    guard let url else { return }
    for password in Self.passwords(in: url) {
      add(password)
      add(Self.percentDecoded(password))
    }
  }

  public func redact(_ text: String) -> String {
    let secrets = secrets.withLock { $0 }
    guard !secrets.isEmpty else { return text }
    var redacted = text
    for secret in secrets where redacted.contains(secret) {
      redacted = redacted.split(separator: secret, omittingEmptySubsequences: false)
        .joined(separator: "***")
    }
    return redacted
  }

  /// Everything in a connection URL or string that stands where a password stands.
  static func passwords(in url: String) -> [String] {
    var found: [String] = []
    var rest = url[...]
    if url.utf8.contains(UInt8(ascii: ":")), let scheme = url.firstRange(of: "://") {
      let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
      // A password may itself hold an unescaped @: up to the last one.
      if let at = authority.lastIndex(of: "@"),
        let colon = authority[..<at].firstIndex(of: ":")
      {
        found.append(String(authority[authority.index(after: colon)..<at]))
      }
      rest = url[scheme.upperBound...]
    }
    // `sslpassword=` ends in the same word. Most arguments hold no = at all: a search in them is not
    // worth its start.
    guard rest.utf8.contains(UInt8(ascii: "=")) else { return found.filter { !$0.isEmpty } }
    for range in rest.ranges(of: "password=") {
      let value = rest[range.upperBound...].drop { $0 == "'" }
      found.append(String(value.prefix { !" &'\t\n".contains($0) }))
    }
    return found.filter { !$0.isEmpty }
  }

  static func percentDecoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
