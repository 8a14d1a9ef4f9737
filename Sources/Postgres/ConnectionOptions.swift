/// How a connection is made.
public struct ConnectionOptions: Sendable {
  /// What `pg_stat_activity` shows; starts with `pgkeep`.
  public var applicationName: String
  public var profile: SessionProfile
  /// The longest wait for one host to answer and log us in.
  public var connectTimeout: Duration

  public init(
    applicationName: String, profile: SessionProfile = .data,
    connectTimeout: Duration = .seconds(15)
  ) {
    self.applicationName = applicationName
    self.profile = profile
    self.connectTimeout = connectTimeout
  }
}
