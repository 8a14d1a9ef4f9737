/// What tells two schemas apart: SHA-256 over all objects, in an order that does not depend on how
/// they came about. Equal for schemas that are equal up to OIDs, dropped attributes and the order of
/// columns.
public struct SchemaFingerprint: Hashable, Sendable, CustomStringConvertible {
  /// 64 hexadecimal digits.
  public let hex: String

  public init(hex: String) { self.hex = hex }

  public var description: String { hex }
}
