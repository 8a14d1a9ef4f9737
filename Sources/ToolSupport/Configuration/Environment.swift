import Glibc

/// The environment variables of the process, or of a test. An empty one counts as not set.
public struct Environment: Sendable {
  private let lookup: @Sendable (String) -> String?

  /// The process's own.
  public static let process = Environment { name in
    getenv(name).map { String(cString: $0) }
  }

  /// The given ones only.
  public init(_ values: [String: String]) { self.init { values[$0] } }

  private init(lookup: @escaping @Sendable (String) -> String?) { self.lookup = lookup }

  public subscript(_ name: String) -> String? {
    guard let value = lookup(name), !value.isEmpty else { return nil }
    return value
  }

  /// The first of several names that is set, with its name.
  public func first(of names: [String]) -> (name: String, value: String)? {
    for name in names {
      if let value = self[name] { return (name, value) }
    }
    return nil
  }
}
