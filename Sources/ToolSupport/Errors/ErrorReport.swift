/// An error as a person or a script gets it: an exit status, a stable word for the kind, a
/// message, and further facts by name.
///
/// Commands throw one where they themselves find something wrong; errors of the libraries become
/// one in ``ErrorTranslation``.
public struct ErrorReport: Error, Sendable, CustomStringConvertible {
  /// A named fact, such as `sqlstate` or `hint`.
  public struct Fact: Hashable, Sendable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var status: ExitStatus
  /// The kind, in camel case, for scripts: `usage`, `unreachable`, `noSuchDatabase`.
  public var code: String
  /// What failed, where, and what to do. May have several lines.
  public var message: String
  /// Further facts, in the order in which to show them.
  public var facts: [Fact]

  public init(_ status: ExitStatus, code: String, _ message: String, facts: [Fact] = []) {
    self.status = status
    self.code = code
    self.message = message
    self.facts = facts
  }

  /// A wrong flag or a wrong value of a setting.
  public static func usage(_ message: String) -> ErrorReport {
    ErrorReport(.usage, code: "usage", message)
  }

  /// A setting that is needed and not there.
  public static func configuration(_ message: String) -> ErrorReport {
    ErrorReport(.configuration, code: "configuration", message)
  }

  /// For a terminal: the message, then a line for each fact.
  public var description: String {
    var text = "error: \(message)"
    for fact in facts {
      let lines = fact.value.split(separator: "\n", omittingEmptySubsequences: false)
      let label = fact.name + String(repeating: " ", count: max(0, 8 - fact.name.count))
      for (index, line) in lines.enumerated() {
        text += "\n  " + (index == 0 ? label : String(repeating: " ", count: label.count))
        text += "  " + line
      }
    }
    return text
  }

  /// For scripts: `{"error": {"code", "message", "exit_status", …facts}}`.
  public var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("code", .string(code)), .init("message", .string(message)),
      .init("exit_status", .integer(Int(status.rawValue))),
    ]
    for fact in facts where !members.contains(where: { $0.name == fact.name }) {
      members.append(.init(fact.name, .string(fact.value)))
    }
    return ["error": .object(members)]
  }
}

/// An error that knows how it is to be shown. The libraries do not know this module, so the
/// executables conform their error types to it.
public protocol ReportableError: Error {
  var report: ErrorReport { get }
}
