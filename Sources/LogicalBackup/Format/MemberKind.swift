/// What a member of a logical backup file holds.
public enum MemberKind: String, Hashable, Sendable, CaseIterable {
  /// Settings, and a check that the roles and extensions are there that the file names. A reader
  /// that sees to both itself may pass it over.
  case header
  /// The objects that rows need; run in order, before all that follows.
  case preData = "pre-data"
  /// One whole `COPY … FROM stdin;` statement with its rows and its `\.`.
  case data
  /// Statements that make large objects; run before any `largeObjectData`.
  case largeObjectCreation = "large-object-creation"
  /// Statements that fill large objects.
  case largeObjectData = "large-object-data"
  /// Owners, comments and grants of large objects; run after their contents.
  case largeObjectAccess = "large-object-access"
  /// Statements that set sequences' values.
  case sequences
  /// Indexes, constraints, triggers and what else comes after the rows.
  case postData = "post-data"
}
