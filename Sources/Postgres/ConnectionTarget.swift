import CLibPQ

/// Which database to connect to: a parsed connection URL or `keyword=value` string.
///
/// Takes what libpq takes (`postgresql://`, `postgres://`, several hosts, `service=`) and the
/// spellings that SQLAlchemy users have in `DATABASE_URL`. Holds a password, so it prints only
/// where it leads: ``description``.
public struct ConnectionTarget: Sendable {
  /// libpq's connection parameters, as given.
  private(set) var parameters: [String: String]

  /// - Parameter url: a connection URL or string.
  /// - Throws: ``PostgresError/Code/invalidTarget``, without the URL's password.
  public init(_ url: String) throws {
    let normalized = try Self.normalized(url)
    var message: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(normalized, &message) else {
      // libpq's message may hold the whole URL, password included, so it is not passed on.
      PQfreemem(message)
      throw PostgresError(
        .invalidTarget,
        "The database URL cannot be read. It has the form "
          + "postgresql://USER:PASSWORD@HOST:PORT/DATABASE; "
          + "characters like @ : / # in the password are written %40 %3A %2F %23.")
    }
    defer { PQconninfoFree(options) }
    parameters = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        parameters[String(cString: keyword)] = String(cString: value)
      }
      option += 1
    }
    for port in (parameters["port"] ?? "").split(separator: ",") where UInt16(port) == nil {
      throw PostgresError(
        .invalidTarget, "The database URL's port is not a number from 1 to 65535.")
    }
  }

  /// The database's name; libpq falls back to the user's name when it is not given.
  public var database: String? { parameters["dbname"] }
  public var user: String? { parameters["user"] }
  public var host: String? { parameters["host"] ?? parameters["hostaddr"] }
  public var port: String? { parameters["port"] }
  public var hasPassword: Bool { parameters["password"] != nil }

  /// The same server, role and settings, another database.
  public func with(database: String) -> ConnectionTarget {
    var copy = self
    copy.parameters["dbname"] = database
    return copy
  }

  /// The same target with one libpq parameter set, or removed when `value` is nil.
  public func with(parameter: String, value: String?) -> ConnectionTarget {
    var copy = self
    copy.parameters[parameter] = value
    return copy
  }

  /// The value of a libpq parameter that is not a secret.
  public func parameter(_ name: String) -> String? {
    name == "password" || name == "sslpassword" ? nil : parameters[name]
  }

  /// `text` without this target's password, for messages that come from elsewhere.
  func redacted(_ text: String) -> String {
    var redacted = text
    for name in ["password", "sslpassword"] {
      guard let secret = parameters[name], !secret.isEmpty else { continue }
      redacted = redacted.split(separator: secret, omittingEmptySubsequences: false)
        .joined(separator: "***")
    }
    return redacted
  }

  /// SQLAlchemy names its driver in the scheme, and asyncpg spells `sslmode` as `ssl`.
  private static func normalized(_ url: String) throws -> String {
    guard let schemeEnd = url.firstRange(of: "://") else {
      if url.isEmpty { throw PostgresError(.invalidTarget, "The database URL is empty.") }
      return url
    }
    let scheme = url[..<schemeEnd.lowerBound].lowercased()
    let rest = url[schemeEnd.upperBound...]
    switch scheme {
    case "postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg",
      "postgresql+psycopg_async", "postgresql+pg8000":
      return "postgresql://\(rest)"
    case "postgresql+asyncpg", "postgres+asyncpg":
      return "postgresql://\(withSSLMode(String(rest)))"
    case _ where scheme.hasPrefix("sqlite"):
      throw PostgresError(
        .invalidTarget,
        "This is an SQLite URL; pgkeep keeps PostgreSQL databases only "
          + "(postgresql://USER:PASSWORD@HOST:PORT/DATABASE).")
    default:
      throw PostgresError(
        .invalidTarget,
        "The database URL's scheme \"\(scheme)\" is not one of postgresql://, postgres://, "
          + "postgresql+psycopg2://, postgresql+psycopg:// or postgresql+asyncpg://.")
    }
  }

  /// asyncpg's `ssl=VALUE` has libpq's values for `sslmode`, and `true` for `require`.
  private static func withSSLMode(_ rest: String) -> String {
    guard let question = rest.firstIndex(of: "?") else { return rest }
    let query = rest[rest.index(after: question)...].split(separator: "&").map { part -> String in
      guard part.hasPrefix("ssl=") else { return String(part) }
      let value = part.dropFirst(4)
      return "sslmode=" + (value == "true" || value == "True" ? "require" : String(value))
    }
    return rest[...question] + query.joined(separator: "&")
  }
}

extension ConnectionTarget: CustomStringConvertible {
  /// `user@host:port/database`, without secrets.
  public var description: String {
    var text = ""
    if let user { text += "\(user)@" }
    if let service = parameters["service"], host == nil {
      text += "service \(service)"
    } else {
      text += host ?? "local socket"
      if let port { text += ":\(port)" }
    }
    if let database { text += "/\(database)" }
    return text
  }
}
