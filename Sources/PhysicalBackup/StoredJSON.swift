import FoundationEssentials

/// JSON as this module stores it: sorted keys, a format number, a line end.
enum StoredJSON {
  private struct Head: Decodable { var format: Int }

  static func encode(_ value: some Encodable, pretty: Bool = true) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
  }

  /// - Parameter newest: the newest format that can be read.
  static func decode<Value: Decodable>(
    _ type: Value.Type, _ bytes: [UInt8], key: String, newest: Int
  ) throws -> Value {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    do {
      let format = try decoder.decode(Head.self, from: data).format
      guard format <= newest else {
        throw PhysicalBackupError(
          .newerFormat,
          "\(key) was written by a newer pgkeep: format \(format), and this one "
            + "knows \(newest)")
      }
      return try decoder.decode(type, from: data)
    } catch let error as DecodingError {
      throw PhysicalBackupError(.damaged, "\(key) is not what it should be", cause: error)
    }
  }
}
