/// Where things lie in a store: docs/repository-format.md, "Repository layout".
public enum Layout {
  /// The environment that is meant when `ENVIRONMENT` is unset.
  public static let defaultEnvironment = "default"
  /// What takes the place of a database's name for things that belong to a whole cluster.
  static let cluster = "cluster"

  /// Everything of an environment is below this prefix.
  public static func prefix(environment: String) -> String { component(environment) + "/" }

  /// Everything of a database is below this prefix.
  public static func prefix(environment: String, database: String) -> String {
    let name = component(database)
    // A database called "cluster" must not meet the folder of that name.
    let first = name.utf8.first.map { escape($0) } ?? ""
    return prefix(environment: environment)
      + (name == cluster ? first + name.dropFirst() : name) + "/"
  }

  /// A database's logical backups are below this prefix.
  public static func logicalPrefix(environment: String, database: String) -> String {
    prefix(environment: environment, database: database) + "logical/"
  }

  /// The proofs about a database's backups are below this prefix.
  public static func proofsPrefix(environment: String, database: String) -> String {
    prefix(environment: environment, database: database) + "proofs/"
  }

  /// Everything of a cluster, that is base backups and WAL, is below this prefix.
  ///
  /// - Parameter systemIdentifier: as `pg_control_system()` gives it.
  public static func clusterPrefix(environment: String, systemIdentifier: String) -> String {
    clustersPrefix(environment: environment) + component(systemIdentifier) + "/"
  }

  /// All clusters of an environment are below this prefix.
  public static func clustersPrefix(environment: String) -> String {
    prefix(environment: environment) + cluster + "/"
  }

  /// A name as one component of a key: letters, digits, `_`, `-` and `.` (not in front) stay,
  /// every other byte of its UTF-8 form is `%` and two digits.
  public static func component(_ name: String) -> String {
    var text = ""
    for (i, byte) in name.utf8.enumerated() {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D:
        text.unicodeScalars.append(Unicode.Scalar(byte))
      case 0x2E where i > 0: text += "."
      default: text += escape(byte)
      }
    }
    return text
  }

  /// The name that a component was made from; nil when it is not well formed.
  public static func name(ofComponent text: some StringProtocol) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
        bytes.append(value)
        rest.removeFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func escape(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.utf8.count == 2 ? "%" + digits : "%0" + digits
  }
}
