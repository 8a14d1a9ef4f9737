/// One thing that is wrong with a migration file.
public struct MigrationProblem: Hashable, Sendable, CustomStringConvertible {
  /// The file, as it can be opened from the working folder.
  public var file: String
  /// Counted from 1; nil when the whole file is meant.
  public var line: Int?
  /// What is wrong and what to do.
  public var message: String

  public init(file: String, line: Int? = nil, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  public var description: String {
    guard let line else { return "\(file): \(message)" }
    return "\(file):\(line): \(message)"
  }
}
