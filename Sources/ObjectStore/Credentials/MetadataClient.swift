import ByteStream
import Crypto

/// Small requests to services that give credentials: the metadata of a container or an instance,
/// the token service.
struct MetadataClient: Sendable {
  private let pool: HTTPPool
  private let isDirect: Bool

  /// - Parameter isDirect: true for an address of this machine, which no proxy can reach.
  init(isDirect: Bool, caFile: String? = nil) {
    pool = HTTPPool(caFile: caFile)
    self.isDirect = isDirect
  }

  struct Reply {
    let status: Int
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// Sends a request; server errors and broken connections are tried again.
  ///
  /// - Parameters:
  ///   - what: "the container's credentials", for the error's words.
  ///   - timeout: seconds for one try.
  /// - Throws: ``ObjectStoreError/Code/unreachable`` when there is no answer. The URL's query is
  ///   in no error.
  func send(
    _ method: String, _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
    what: String, timeout: Double = 10, tries: Int = 3, cancellation: Cancellation
  ) throws -> Reply {
    var settings = S3Settings()
    settings.attempts = tries
    settings.deadline = timeout * Double(tries)
    var retry = Retry(settings)
    while true {
      let request = HTTPRequest(
        method: method, url: url, headers: headers, body: body.map { ArrayBody($0) },
        timeout: timeout, stallTimeout: timeout, isDirect: isDirect)
      do {
        let (head, body) = try pool.send(request, cancellation: cancellation)
        let isTransient = head.status >= 500 || head.status == 429
        guard isTransient, retry.next(after: nil) else {
          return Reply(status: head.status, body: body)
        }
      } catch let failure as HTTPFailure {
        guard failure.isTransient, retry.next(after: nil) else {
          throw ObjectStoreError(
            .unreachable, "\(what): no answer from \(url.prefix { $0 != "?" })", cause: failure)
        }
      }
      try retry.wait(cancellation)
    }
  }
}
