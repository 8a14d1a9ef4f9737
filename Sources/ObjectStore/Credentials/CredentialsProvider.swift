import ByteStream

/// One place where credentials may be found.
protocol CredentialsProvider: Sendable {
  /// Looks there once; blocks for a bounded time.
  ///
  /// - Throws: ``ObjectStoreError/Code/credentials`` when the place is configured, and gives none.
  func find(cancellation: Cancellation) throws -> CredentialsFinding
}

/// What a look for credentials gave.
enum CredentialsFinding {
  case found(Credentials)
  /// Nobody has configured that place: the words say what is missing, for the error in the end.
  case absent(String)
}

extension ObjectStoreError {
  /// Credentials that were configured and cannot be had.
  static func credentials(_ message: String, cause: (any Error)? = nil) -> Self {
    ObjectStoreError(.credentials, message, cause: cause)
  }
}
