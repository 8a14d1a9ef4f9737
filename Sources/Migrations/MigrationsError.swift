/// What can go wrong in migrating.
public struct MigrationsError: Error, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The migration files cannot be used: see ``MigrationsError/problems``.
    case invalidFiles
    /// A version was asked for that neither the files nor the history know, or a step that
    /// cannot be taken from where the database is.
    case noSuchStep
    /// A file is older than what is applied, and the policy refuses that.
    case outOfOrder
    /// Another run held the migration lock for longer than we were to wait.
    case lockNotObtained
    /// A pooler hands our session's statements to changing server sessions.
    case transactionPooler
    /// The database does not take changes, or the role may not make them.
    case notAllowed
    /// The history was written by a newer version of this tool.
    case historyTooNew
    /// A statement of a migration failed: see ``MigrationsError/failure``.
    case statementFailed
    /// A migration without a transaction stopped half way, in this run or an earlier one.
    case unfinished
    /// A migration says that it cannot be undone, or no down is known for it.
    case irreversible
    /// A migration drops data, and the precaution that was asked for cannot be taken.
    case dataLoss
    /// The files and the history differ.
    case drift
    /// Somebody asked the run to stop.
    case cancelled
  }

  public var code: Code
  /// What went wrong, where, and what to do.
  public var message: String
  /// For ``Code/invalidFiles``: everything that is wrong, in order of files.
  public var problems: [MigrationProblem]
  /// For ``Code/statementFailed`` and ``Code/unfinished``: the statement.
  public var failure: StatementFailure?
  /// What this run had done before it failed.
  public var done: [FinishedStep]
  public var cause: (any Error)?

  public init(
    _ code: Code, _ message: String, problems: [MigrationProblem] = [],
    failure: StatementFailure? = nil, done: [FinishedStep] = [], cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.problems = problems
    self.failure = failure
    self.done = done
    self.cause = cause
  }

  public var description: String {
    var parts: [String] = []
    if let failure { parts.append(failure.description) }
    if !message.isEmpty { parts.append(message) }
    parts += problems.map(\.description)
    return parts.joined(separator: "\n")
  }
}
