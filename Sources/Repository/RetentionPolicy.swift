/// How long backups are kept. A backup stays when any of these keeps it.
public struct RetentionPolicy: Hashable, Sendable {
  /// Everything younger than this many days; 0 to keep nothing for its age alone.
  public var keepDays: Int
  /// The newest so many.
  public var keepLast: Int
  /// The newest of each of the last so many days, weeks (from Monday), months and years, in UTC,
  /// that have a backup at all.
  public var keepDaily: Int
  public var keepWeekly: Int
  public var keepMonthly: Int
  public var keepYearly: Int

  public init(
    keepDays: Int = 30, keepLast: Int = 0, keepDaily: Int = 0, keepWeekly: Int = 0,
    keepMonthly: Int = 0, keepYearly: Int = 0
  ) {
    self.keepDays = keepDays
    self.keepLast = keepLast
    self.keepDaily = keepDaily
    self.keepWeekly = keepWeekly
    self.keepMonthly = keepMonthly
    self.keepYearly = keepYearly
  }

  /// Days after which what an interrupted backup left may go: another host may still be writing
  /// what is younger.
  public static let leftoverDays = 7

  /// Days that a partial or damaged backup stays: it counts for nothing else.
  var keepDaysOfOthers: Int { max(keepDays, Self.leftoverDays) }

  /// Throws ``RepositoryError/Code/invalid`` for a policy that keeps nothing, or less.
  func check() throws {
    let numbers = [keepDays, keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly]
    guard numbers.allSatisfy({ (0...100_000).contains($0) }) else {
      throw RepositoryError(.invalid, "what retention keeps is a number from 0 to 100000")
    }
    guard numbers.contains(where: { $0 > 0 }) else {
      throw RepositoryError(.invalid, "retention would keep nothing: say what it should keep")
    }
  }
}
