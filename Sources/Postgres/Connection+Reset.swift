extension Connection {
  /// Brings the session back to what it was after connecting: role, settings, temporary tables,
  /// prepared statements, cursors and channels, but not advisory locks. No transaction may be open.
  ///
  /// `DISCARD ALL` would also drop the session profile and the advisory locks, and takes a round
  /// trip of its own.
  ///
  /// - Parameters:
  ///   - profile: the one that the connection was made with.
  ///   - next: statements that are run behind it, in the same round trip.
  /// - Returns: the result of the last statement.
  @discardableResult
  public func reset(_ profile: SessionProfile, next: SQLText = "") throws -> QueryResult? {
    try queries(
      """
      SET SESSION AUTHORIZATION DEFAULT;
      RESET ALL;
      DEALLOCATE ALL;
      CLOSE ALL;
      UNLISTEN *;
      DISCARD PLANS;
      DISCARD TEMP;
      DISCARD SEQUENCES;
      \(profile.sql ?? "");
      \(next)
      """
    ).last
  }
}
