public import ByteStream

/// Small HTTP requests to services beside the store: who is told how a run ended.
///
/// No retries and no redirects. Calls block, for a bounded time.
public struct HTTPClient: Sendable {
  private let pool: HTTPPool

  /// - Parameter caFile: certificates to trust in place of the system's.
  public init(caFile: String? = nil) { pool = HTTPPool(caFile: caFile) }

  /// Sends a request and gives the answer's status.
  ///
  /// - Parameters:
  ///   - body: nil for none, as in GET.
  ///   - timeout: seconds for all of it.
  /// - Throws: ``ObjectStoreError``, of code ``ObjectStoreError/Code/unreachable`` when no answer
  ///   came. The URL is not in it, since it may be a secret.
  public func send(
    _ method: String, _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
    timeout: Double, cancellation: Cancellation
  ) throws -> Int {
    let request = HTTPRequest(
      method: method, url: url, headers: headers, body: body.map { ArrayBody($0) },
      timeout: timeout, stallTimeout: timeout)
    do {
      return try pool.send(request, cancellation: cancellation).head.status
    } catch let failure as HTTPFailure {
      throw ObjectStoreError(.unreachable, failure.description)
    }
  }
}
