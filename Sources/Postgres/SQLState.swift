/// A five-character error code of the server (PostgreSQL documentation, appendix A).
public struct SQLState: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  public let code: String

  public init(_ code: String) { self.code = code }
  public init(stringLiteral value: String) { code = value }

  /// The first two characters: the class of conditions.
  public var conditionClass: Substring { code.prefix(2) }

  public var description: String { code }

  public static let queryCanceled: SQLState = "57014"
  public static let adminShutdown: SQLState = "57P01"
  public static let cannotConnectNow: SQLState = "57P03"
  public static let lockNotAvailable: SQLState = "55P03"
  public static let activeTransaction: SQLState = "25001"
  public static let invalidTransactionTermination: SQLState = "2D000"
  public static let invalidSchemaName: SQLState = "3F000"
  public static let objectInUse: SQLState = "55006"
  public static let deadlockDetected: SQLState = "40P01"
  public static let serializationFailure: SQLState = "40001"
  public static let insufficientPrivilege: SQLState = "42501"
  public static let undefinedTable: SQLState = "42P01"
  public static let undefinedFunction: SQLState = "42883"
  public static let undefinedObject: SQLState = "42704"
  public static let invalidCatalogName: SQLState = "3D000"
  public static let duplicateDatabase: SQLState = "42P04"
  public static let invalidPassword: SQLState = "28P01"
  public static let invalidAuthorization: SQLState = "28000"
  public static let tooManyConnections: SQLState = "53300"
  public static let diskFull: SQLState = "53100"
  public static let outOfMemory: SQLState = "53200"
  public static let duplicateObject: SQLState = "42710"
  public static let dataCorrupted: SQLState = "XX001"
  /// A file that the server lacks: among others, WAL that it has removed.
  public static let undefinedFile: SQLState = "58P01"
}
