/// What a process left when it ended.
public struct CommandResult: Sendable {
  /// How the process ended.
  public enum Ending: Sendable, Equatable {
    /// It exited with this code.
    case exited(Int32)
    /// This signal killed it.
    case signaled(Int32)
  }

  /// How it ended.
  public let ending: Ending
  /// All that it wrote to its standard output.
  public let output: [UInt8]
  /// All that it wrote to its standard error.
  public let errorOutput: [UInt8]
  /// The time from start to end.
  public let duration: Duration
  /// The most memory that was resident at once, in bytes, looked at every 20 ms: 0 for a process
  /// that was gone before the first look.
  public let peakResidentBytes: Int

  /// The exit code; nil when a signal killed it.
  public var exitCode: Int32? {
    if case .exited(let code) = ending { code } else { nil }
  }
  /// The standard output as text.
  public var text: String { String(decoding: output, as: UTF8.self) }
  /// The standard error as text.
  public var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}
