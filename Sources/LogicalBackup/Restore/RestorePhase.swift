/// The steps of a restore, in their order.
public enum RestorePhase: String, Hashable, Sendable, CaseIterable {
  /// Reading the index, checking the target, making the database.
  case preparation
  /// Objects that rows need.
  case preData = "pre-data"
  /// Trying the post-data on the empty tables, and undoing it, where it may well fail.
  case rehearsal
  case data
  case largeObjects = "large objects"
  case sequences
  /// Indexes, constraints, triggers and what else comes after the rows.
  case postData = "post-data"
  case analyze
  case verification
  /// Making the database visible under its name.
  case completion
}

/// How far a restore has come.
public struct RestoreProgress: Hashable, Sendable {
  public var phase: RestorePhase
  /// Of the backup's bytes as they are stored, how many have been read.
  public var bytes: Int
  /// Those that there are to read; nil when that is not known.
  public var totalBytes: Int?
  public var rows: Int
  /// Steps of the phase that are done: members of data, items of the post-data, tables analysed.
  public var steps: Int
  public var totalSteps: Int?
}
