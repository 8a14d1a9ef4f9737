import Crypto
import Postgres

/// A line of the index while it is read. Fields that this version does not know are passed over;
/// one that is missing or of another type is ``LogicalBackupError/Code/damaged``.
struct IndexObject {
  /// What the line tells.
  let record: String
  private let fields: [String: IndexValue]
  private let number: Int

  /// - Parameters:
  ///   - line: without its newline.
  ///   - number: which line it is, from 1.
  init(_ line: ArraySlice<UInt8>, number: Int) throws {
    self.number = number
    guard line.starts(with: Array("-- ".utf8)),
      case .object(let fields) = IndexParser.parse(line.dropFirst(3)),
      case .string(let record) = fields["record"]
    else {
      throw LogicalBackupError(.damaged, "Line \(number) of the backup's index cannot be read.")
    }
    self.fields = fields
    self.record = record
  }

  func string(_ key: String) throws -> String {
    guard case .string(let value) = fields[key] else { throw bad(key) }
    return value
  }

  /// A number that is not negative.
  func count(_ key: String) throws -> Int {
    guard case .integer(let value) = fields[key], value >= 0 else { throw bad(key) }
    return value
  }

  func optionalCount(_ key: String) throws -> Int? { fields[key] == nil ? nil : try count(key) }

  func counts(_ key: String) throws -> [Int] {
    guard case .array(let values) = fields[key] else { throw bad(key) }
    return try values.map {
      guard case .integer(let value) = $0, value >= 0 else { throw bad(key) }
      return value
    }
  }

  func hash(_ key: String) throws -> UInt64 {
    let digits = try string(key)
    guard digits.utf8.count == 16, let value = UInt64(digits, radix: 16) else { throw bad(key) }
    return value
  }

  func text(_ key: String) throws -> SQLText {
    guard let text = try optionalText(key) else { throw bad(key) }
    return text
  }

  func optionalText(_ key: String) throws -> SQLText? {
    switch (fields[key], fields[key + "_hex"]) {
    case (nil, nil): return nil
    case (.string(let value), nil): return SQLText(value)
    case (nil, .string(let digits)):
      guard let bytes = Hex.decode(digits) else { throw bad(key) }
      return SQLText(bytes: bytes)
    default: throw bad(key)
    }
  }

  func texts(_ key: String) throws -> [SQLText] {
    let isHex = fields[key] == nil
    guard case .array(let values) = fields[key] ?? fields[key + "_hex"] else { throw bad(key) }
    return try values.map {
      guard case .string(let value) = $0 else { throw bad(key) }
      guard isHex else { return SQLText(value) }
      guard let bytes = Hex.decode(value) else { throw bad(key) }
      return SQLText(bytes: bytes)
    }
  }

  private func bad(_ key: String) -> LogicalBackupError {
    LogicalBackupError(
      .damaged,
      "Line \(number) of the backup's index, about a \(record), has no usable \"\(key)\".")
  }
}
