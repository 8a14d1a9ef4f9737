/// A request as it goes over the wire.
struct HTTPRequest {
  var method: String
  /// With scheme, host, encoded path and encoded query.
  var url: String
  var headers: [(String, String)]
  var body: (any RequestBody)?
  /// Seconds for all of it.
  var timeout: Double
  /// Seconds without a byte moving after which it has failed.
  var stallTimeout: Double
  /// Whether no proxy may stand in between: for addresses of this machine.
  var isDirect = false
}

/// An answer's first part.
struct HTTPHead: Sendable {
  var status: Int
  /// Names in lower case.
  var headers: [String: String]

  var contentLength: Int? { headers["content-length"].flatMap { Int($0) } }
}

/// A request that got no whole answer.
struct HTTPFailure: Error, CustomStringConvertible {
  enum Kind: Hashable {
    /// Name resolution, connection, TLS handshake.
    case connection
    /// The other side's certificate is not trusted, or not its own.
    case certificate
    /// It took too long, or no byte moved for too long.
    case timeout
    /// The connection ended in the middle.
    case reset
    /// What came is no HTTP, or the request cannot be made.
    case protocolError
  }

  var kind: Kind
  /// libcurl's words.
  var description: String

  /// Whether the same request may well succeed later.
  var isTransient: Bool { kind != .certificate && kind != .protocolError }
}
