import ByteStream
import CLibPQ
import Glibc

/// The steps from a target to an open session, each with a bounded wait.
struct ConnectionOpening {
  let handle: OpaquePointer
  /// The target, narrowed to the host that answered.
  let reachedTarget: ConnectionTarget

  init(
    _ target: ConnectionTarget, _ options: ConnectionOptions, cancellation: Cancellation
  ) throws {
    var parameters = target.parameters
    parameters["application_name"] = options.applicationName
    // A peer that vanished is noticed within about a minute, in either direction.
    for (name, value) in [
      ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
      ("tcp_user_timeout", "60000"),
    ] where parameters[name] == nil {
      parameters[name] = value
    }
    if !options.profile.usesDatabaseEncoding { parameters["client_encoding"] = "UTF8" }

    guard let handle = Self.start(parameters) else {
      throw PostgresError(.unreachable, "Out of memory while connecting to \(target).")
    }
    var isOpen = false
    defer { if !isOpen { PQfinish(handle) } }
    let hosts = max(1, (target.host ?? "").split(separator: ",").count)
    let deadline = ContinuousClock.now + options.connectTimeout * hosts
    // libpq wants the first wait to be for writing.
    var status = PGRES_POLLING_WRITING
    if PQstatus(handle) == CONNECTION_BAD { status = PGRES_POLLING_FAILED }
    while status != PGRES_POLLING_OK {
      guard status != PGRES_POLLING_FAILED else { throw Self.failure(handle, target) }
      let event = status == PGRES_POLLING_READING ? POLLIN : POLLOUT
      let isReady = try SocketWait.once(PQsocket(handle), Int16(event), cancellation: cancellation)
      if isReady {
        status = PQconnectPoll(handle)
      } else if ContinuousClock.now >= deadline {
        throw PostgresError(
          .unreachable,
          "No answer from \(target) within \(options.connectTimeout). Check the host, the port "
            + "and that a firewall lets this machine through.")
      }
    }
    isOpen = true
    self.handle = handle
    reachedTarget = Self.narrowed(target, handle)
  }

  private static func start(_ parameters: [String: String]) -> OpaquePointer? {
    let keywords = CStrings(parameters.keys.map { SQLText($0) } + [nil])
    let values = CStrings(parameters.values.map { SQLText($0) } + [nil])
    return PQconnectStartParams(keywords.pointers, values.pointers, 0)
  }

  /// With several hosts in the target, the one that was reached.
  private static func narrowed(
    _ target: ConnectionTarget, _ handle: OpaquePointer
  ) -> ConnectionTarget {
    guard (target.host ?? "").contains(",") || (target.port ?? "").contains(",") else {
      return target
    }
    var narrowed = target
    if let host = PQhost(handle) {
      narrowed = narrowed.with(parameter: "host", value: String(cString: host))
    }
    if let address = PQhostaddr(handle) {
      let text = String(cString: address)
      narrowed = narrowed.with(parameter: "hostaddr", value: text.isEmpty ? nil : text)
    }
    if let port = PQport(handle) {
      narrowed = narrowed.with(parameter: "port", value: String(cString: port))
    }
    return narrowed
  }

  /// libpq gives no SQLSTATE for a refused login, so its text decides the code; a text in another
  /// language falls back to `unreachable`, with the server's words.
  private static func failure(
    _ handle: OpaquePointer, _ target: ConnectionTarget
  ) -> PostgresError {
    let raw = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
    let text = target.redacted(raw).split(separator: "\n").joined(separator: "; ")
    func says(_ words: String...) -> Bool { words.contains { raw.contains($0) } }
    if says("password authentication failed", "no password supplied") {
      return PostgresError(
        .authentication,
        "The server refused the password for \(target). Check the password in the URL, "
          + "PGPASSWORD or ~/.pgpass. (\(text))")
    }
    if says("authentication failed", "no pg_hba.conf entry", "certificate")
      || says("role \"") && says("does not exist", "is not permitted to log in")
    {
      return PostgresError(
        .authentication, "The server does not let \(target) log in: \(text)")
    }
    if says("database \"") && says("does not exist") {
      return PostgresError(.noSuchDatabase, "There is no such database: \(target). (\(text))")
    }
    if says("too many clients", "too many connections", "remaining connection slots") {
      return PostgresError(
        .tooManyConnections, "The server has no connection free for \(target): \(text)")
    }
    return PostgresError(.unreachable, "Cannot connect to \(target): \(text)")
  }
}
