public import Gzip

/// How a logical backup is made.
public struct ExportOptions: Sendable {
  /// The backup's name, for the index.
  public var id: String
  /// The version of pgkeep, for the index.
  public var tool: String
  /// Connections that read at once; nil for the smallest of 4, twice the machine's cores, and half
  /// of the connections that are free.
  public var jobs: Int?
  /// What of the database; all of it by default.
  public var selection = ExportSelection()
  /// A role to read as: the sessions SET ROLE to it before anything else.
  public var role: String?
  /// Take a server of a newer major version than ``SupportedServers/tested``.
  public var takesUntestedServers = false
  public var compression: CompressionLevel = .fast
  public var snapshot = SnapshotOptions()
  /// Bytes of text in a member. The size makes no difference to the ratio.
  public var memberSize = 4 << 20
  /// Called for each session that waits for the export to end, from a thread of its own.
  public var onWaiting: (@Sendable (WaitingSession) -> Void)?

  public init(id: String, tool: String) {
    self.id = id
    self.tool = tool
  }
}
