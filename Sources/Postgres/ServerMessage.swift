import CLibPQ

/// What the server said: an error or a notice, with all its fields.
public struct ServerMessage: Hashable, Sendable {
  public var severity: String
  public var sqlState: SQLState
  public var message: String
  public var detail: String?
  public var hint: String?
  /// Where in the statement, in characters from 1.
  public var position: Int?
  /// Where in ``internalQuery``, in characters from 1.
  public var internalPosition: Int?
  public var internalQuery: String?
  /// The call stack of functions that the server was in.
  public var context: String?
  public var schema: String?
  public var table: String?
  public var column: String?
  public var dataType: String?
  public var constraint: String?

  public init(severity: String = "ERROR", sqlState: SQLState, message: String) {
    self.severity = severity
    self.sqlState = sqlState
    self.message = message
  }

  init(_ result: OpaquePointer?) {
    func field(_ code: Int32) -> String? {
      guard let text = PQresultErrorField(result, code) else { return nil }
      return String(cString: text)
    }
    // The codes are the single characters of the protocol's error fields.
    func field(_ code: Character) -> String? { field(Int32(code.asciiValue ?? 0)) }
    severity = field("V") ?? field("S") ?? "ERROR"
    sqlState = SQLState(field("C") ?? "XX000")
    message = field("M") ?? ""
    detail = field("D")
    hint = field("H")
    position = field("P").flatMap { Int($0) }
    internalPosition = field("p").flatMap { Int($0) }
    internalQuery = field("q")
    context = field("W")
    schema = field("s")
    table = field("t")
    column = field("c")
    dataType = field("d")
    constraint = field("n")
  }
}

extension ServerMessage: CustomStringConvertible {
  public var description: String {
    var text = "\(severity): \(message) (SQLSTATE \(sqlState))"
    if let detail { text += "\nDETAIL: \(detail)" }
    if let hint { text += "\nHINT: \(hint)" }
    if let context { text += "\nCONTEXT: \(context)" }
    return text
  }
}
