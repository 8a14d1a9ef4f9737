import Postgres

/// Who holds the migration lock.
public struct LockHolder: Hashable, Sendable, CustomStringConvertible {
  public var processID: Int
  public var role: String
  public var applicationName: String
  /// The client's address; nil for a Unix socket, or when the role may not see it.
  public var clientAddress: String?
  /// How long the session exists, in seconds.
  public var seconds: Int
  /// The statement that the run is in, or was in last.
  public var query: String?

  /// One line of at most 120 characters, without the BEGIN that a run of ours sends along.
  static func shortened(_ query: String) -> String {
    let beginning = Connection.beginning.string
    let query = query.hasPrefix(beginning) ? query.dropFirst(beginning.count) : query[...]
    let line = query.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count > 120 ? line.prefix(119) + "…" : line
  }

  public var description: String {
    var text = "process \(processID)"
    if !role.isEmpty { text += " of role \(role)" }
    if !applicationName.isEmpty { text += " (\(applicationName))" }
    if let clientAddress { text += " from \(clientAddress)" }
    text += ", since \(seconds) s"
    if let query, !query.isEmpty { text += ", running: \(query)" }
    return text
  }
}
