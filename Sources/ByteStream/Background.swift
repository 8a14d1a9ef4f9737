/// A value that a thread of its own works out, while its owner does something else.
public final class Background<Value: Sendable>: Sendable {
  private let result = Monitor<Result<Value, any Error>?>(nil)

  /// Starts the thread.
  ///
  /// - Parameter name: what `top -H` shows of it.
  public init(_ name: String, _ body: @escaping @Sendable () throws -> Value) {
    JobThread.start(name) { [result] in
      let value = Result { try body() }
      result.update { $0 = value }
    }
  }

  /// What `body` returned or threw; blocks until it has.
  public func value() throws -> Value { try result.wait { $0 }.get() }

  /// Runs `other` meanwhile, and returns both. When both throw, the error is the value's.
  public func with<Other>(_ other: () throws -> Other) throws -> (Value, Other) {
    let other = Result { try other() }
    return (try value(), try other.get())
  }
}
