import Repository

extension StoredJSON {
  /// Reads a stored object; failures name it.
  ///
  /// - Parameter newest: the newest format that can be read.
  static func decode<Value: Decodable>(
    _ type: Value.Type, _ bytes: [UInt8], key: String, newest: Int
  ) throws(PhysicalBackupError) -> Value {
    do { return try decode(type, bytes, newest: newest) } catch {
      switch error {
      case .newerFormat(let format):
        throw PhysicalBackupError(
          .newerFormat,
          "\(key) was written by a newer pgkeep: format \(format), and this one "
            + "knows \(newest)")
      case .unreadable:
        throw PhysicalBackupError(.damaged, "\(key) is not what it should be", cause: error)
      }
    }
  }
}
