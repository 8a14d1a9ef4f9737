import FoundationEssentials

/// JSON as every stored document is written: sorted keys, a number in `format`, a line end. Fields
/// that a version does not know are passed over; a format that it does not know is a failure.
public enum StoredJSON {
  /// Why bytes are no document of a type.
  public enum Failure: Error, Sendable, CustomStringConvertible {
    /// A newer pgkeep wrote it, in that format.
    case newerFormat(Int)
    /// What is wrong, in words.
    case unreadable(String)

    public var description: String {
      switch self {
      case .newerFormat(let format): "format \(format) is of a newer pgkeep"
      case .unreadable(let words): words
      }
    }
  }

  private struct Head: Decodable { var format: Int }

  public static func encode(_ value: some Encodable, pretty: Bool = true) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
  }

  /// - Parameter newest: the newest format that can be read.
  public static func decode<Value: Decodable>(
    _ type: Value.Type, _ bytes: [UInt8], newest: Int
  ) throws(Failure) -> Value {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    do {
      let format = try decoder.decode(Head.self, from: data).format
      guard format <= newest else { throw Failure.newerFormat(format) }
      return try decoder.decode(type, from: data)
    } catch let failure as Failure {
      throw failure
    } catch let error as DecodingError {
      throw .unreadable(words(error))
    } catch {
      throw .unreadable("\(error)")
    }
  }

  private static func words(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
    return switch error {
    case .dataCorrupted(let context): place(context)
    case .keyNotFound(let key, let context): "\(key.stringValue) is missing, \(place(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): place(context)
    @unknown default: "unreadable"
    }
  }
}
