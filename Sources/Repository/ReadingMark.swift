import ByteStream
import Crypto
import Glibc
public import ObjectStore

/// A mark in the store that somebody reads a backup: a prune meanwhile, on whatever host, leaves it.
///
/// An object of no content, whose key tells what is read. It counts for a day after it was last
/// written, by the store's clock, so that what a killed reader left holds nothing for long; who
/// reads for longer writes it anew. Older ones are removed by the next prune. Where a reader may not
/// delete its mark, it gives it a content: then it counts no more.
public struct ReadingMark: Hashable, Sendable {
  public let key: String
  /// When it was last written, by the store's clock.
  public let written: UTCTime
  private let isReleased: Bool

  /// Seconds for which a mark counts.
  public static let lifetime: Int64 = 86_400
  /// How often a reader writes its mark anew: many times before it would count no more, since the
  /// store may be out of reach for a while.
  static let renewal = Duration.seconds(3600)

  /// A mark as a listing shows it.
  public init(_ info: ObjectInfo) {
    key = info.key
    written = info.modified
    isReleased = info.size > 0
  }

  /// Whether it still counts.
  public func holds(at now: UTCTime) -> Bool {
    !isReleased && written.adding(seconds: Self.lifetime) > now
  }

  /// Whether there is a mark below a prefix that counts.
  public static func isHeld(
    _ prefix: String, in store: any ObjectStore, at now: UTCTime
  ) throws -> Bool {
    var isHeld = false
    try store.list(prefix: prefix) { if ReadingMark($0).holds(at: now) { isHeld = true } }
    return isHeld
  }

  /// Runs `body` while a mark is in the store.
  ///
  /// `body` has to look first whether what it reads is still there: a prune may have looked for
  /// marks before this one was written.
  ///
  /// - Parameters:
  ///   - prefix: of the mark's key; eight random digits are added.
  ///   - isLeft: whether the mark stays when `body` succeeds, for somebody who goes on reading.
  ///   - renewal: how often it is written anew.
  ///   - refused: called when no mark could be written, as where the store's key may only read;
  ///     `body` is run all the same.
  public static func keep<Value>(
    _ prefix: String, in store: any ObjectStore, isLeft: Bool = false,
    renewedEvery renewal: Duration? = nil, refused: (any Error) -> Void, _ body: () throws -> Value
  ) throws -> Value {
    let key = prefix + Hex.encode(try SecureRandom.bytes(4))
    do { try store.put(key, [], options: PutOptions()) } catch { refused(error) }
    let renewing = Renewing(key, store, every: renewal ?? Self.renewal)
    do {
      let value = try body()
      renewing.end()
      if !isLeft { release(key, in: store) }
      return value
    } catch {
      renewing.end()
      // Also when nobody knows whether it was written.
      release(key, in: store)
      throw error
    }
  }

  /// Makes a mark count no more, also where an object lock or a key without the right to delete
  /// keeps it there.
  private static func release(_ key: String, in store: any ObjectStore) {
    do { try store.delete(key) } catch {
      try? store.put(key, Array("released\n".utf8), options: PutOptions())
    }
  }

  /// A thread that writes a mark anew from time to time.
  private struct Renewing {
    private struct State {
      var isEnded = false
      var isWriting = false
    }

    private let state = Monitor(State())

    init(_ key: String, _ store: any ObjectStore, every renewal: Duration) {
      let state = state
      let caller = pthread_self()
      JobThread.start("mark") {
        // Where no thread was to be had this runs on the caller's.
        guard pthread_equal(caller, pthread_self()) == 0 else { return }
        while true {
          let isEnded = state.wait(for: renewal) { $0.isEnded ? true : nil } ?? false
          let goesOn = state.update { state in
            state.isWriting = !state.isEnded
            return state.isWriting
          }
          if isEnded || !goesOn { return }
          // When it fails there is a next time.
          try? store.put(key, [], options: PutOptions())
          state.update { $0.isWriting = false }
        }
      }
    }

    /// Returns when nothing is being written any more.
    func end() {
      state.update { $0.isEnded = true }
      state.wait { $0.isWriting ? nil : () }
    }
  }
}
