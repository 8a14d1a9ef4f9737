import Glibc

/// The environment variables of the process, or of a test. An empty one counts as not set.
public struct Environment: Sendable {
  public let values: [String: String]

  /// The process's own, as they were at first use.
  public static let process = Environment(readAll())

  /// The given ones only.
  public init(_ values: [String: String]) { self.values = values }

  public subscript(_ name: String) -> String? {
    guard let value = values[name], !value.isEmpty else { return nil }
    return value
  }

  /// The first of several names that is set, with its name.
  public func first(of names: [String]) -> (name: String, value: String)? {
    for name in names {
      if let value = self[name] { return (name, value) }
    }
    return nil
  }

  private static func readAll() -> [String: String] {
    var values: [String: String] = [:]
    var entry = environ
    while let pointer = entry.pointee {
      let text = String(cString: pointer)
      if let equals = text.firstIndex(of: "=") {
        values[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      entry += 1
    }
    return values
  }
}
