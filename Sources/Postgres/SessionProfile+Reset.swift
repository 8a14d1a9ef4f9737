extension SessionProfile {
  /// Statements that bring a session back to what it was after connecting with this profile: role,
  /// settings, temporary tables, prepared statements, cursors and channels, but not advisory locks.
  /// No transaction may be open.
  ///
  /// `DISCARD ALL` would also drop the session profile and the advisory locks, and takes a round
  /// trip of its own.
  public var reset: SQLText {
    """
    SET SESSION AUTHORIZATION DEFAULT;
    RESET ALL;
    DEALLOCATE ALL;
    CLOSE ALL;
    UNLISTEN *;
    DISCARD PLANS;
    DISCARD TEMP;
    DISCARD SEQUENCES;
    \(sql ?? "")
    """
  }
}
