import ByteStream
import Synchronization

/// Credentials from the first place that has some, kept until they are about to expire.
///
/// Several threads may ask at once: one looks, the others wait for it.
final class CachedCredentials: CredentialsSource {
  private struct State {
    var current: Credentials?
    /// The provider that gave them: renewals come from there, and from nowhere else.
    var chosen: (any CredentialsProvider)?
    /// By the monotonic clock: before that, what there is is used, however soon it expires.
    var nextLook: Double = 0
  }

  /// Seconds before their end from which on new ones are looked for.
  static let margin: Double = 300
  /// Seconds between two looks while the old ones are still good.
  static let pause: Double = 30

  private let providers: [any CredentialsProvider]
  private let now: @Sendable () -> UTCTime
  private let uptime: @Sendable () -> Double
  private let state = Mutex(State())

  /// - Parameters:
  ///   - now: this host's clock, which expiry is reckoned by.
  ///   - uptime: seconds of a clock that never jumps.
  init(
    _ providers: [any CredentialsProvider], now: @escaping @Sendable () -> UTCTime = UTCTime.now,
    uptime: @escaping @Sendable () -> Double = HTTPTransfer.clock
  ) {
    self.providers = providers
    self.now = now
    self.uptime = uptime
  }

  func credentials(cancellation: Cancellation) throws -> Credentials {
    try state.withLock { state in
      guard let current = state.current else { return try look(&state, cancellation) }
      let left = current.expires?.seconds(since: now()) ?? .infinity
      if left > Self.margin || uptime() < state.nextLook { return current }
      do {
        return try look(&state, cancellation)
      } catch let error as ObjectStoreError where error.code != .cancelled && left > 0 {
        // A metadata service that is away for a moment ends no upload while the old ones hold.
        state.nextLook = uptime() + Self.pause
        return current
      }
    }
  }

  func discard(_ credentials: Credentials) {
    state.withLock { state in
      // Another thread may have fetched others already.
      if state.current == credentials { state.current = nil }
    }
  }

  private func look(_ state: inout State, _ cancellation: Cancellation) throws -> Credentials {
    var absences: [String] = []
    for provider in state.chosen.map({ [$0] }) ?? providers {
      switch try provider.find(cancellation: cancellation) {
      case .found(let credentials):
        state.current = credentials
        state.chosen = provider
        state.nextLook = uptime() + Self.pause
        return credentials
      case .absent(let why): absences.append(why)
      }
    }
    throw ObjectStoreError.credentials(
      "no credentials for the store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        + "SCW_ACCESS_KEY and SCW_SECRET_KEY (looked further: "
        + "\(absences.joined(separator: "; ")))")
  }
}
