/// How a temporary cluster differs from the plain one: no password, no TLS, UTF-8, locale C.UTF-8.
public struct ClusterOptions: Sendable {
  /// Lines for `postgresql.conf`, by the setting's name; the values are quoted for you.
  public var settings: [String: String] = [:]
  /// Lines that stand before all others in `pg_hba.conf`.
  public var hbaLines: [String] = []
  /// More arguments for `initdb`; they come last, so that `--locale=…` or `--encoding=…` wins.
  public var initdbArguments: [String] = []
  /// The superuser's password, asked for over TCP (SCRAM) and not over the Unix socket.
  public var password: String?
  /// Serve TLS over TCP with a certificate for `localhost` and 127.0.0.1, made for this cluster.
  public var tls = false
  /// With `tls`: refuse TCP connections without it.
  public var tlsRequired = false

  /// - Parameters: see the properties of the same names.
  public init(
    settings: [String: String] = [:], hbaLines: [String] = [], initdbArguments: [String] = [],
    password: String? = nil, tls: Bool = false, tlsRequired: Bool = false
  ) {
    self.settings = settings
    self.hbaLines = hbaLines
    self.initdbArguments = initdbArguments
    self.password = password
    self.tls = tls
    self.tlsRequired = tlsRequired
  }
}
