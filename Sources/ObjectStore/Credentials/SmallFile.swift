import Glibc

/// Files that hold settings or a token.
enum SmallFile {
  /// All of a file; nil when there is none.
  ///
  /// - Parameter limit: bytes; a longer file is none of what is read here.
  static func read(_ path: String, limit: Int) throws -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw FileFailure.error("cannot read", path, errno)
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw FileFailure.error("cannot read", path, errno)
      }
      if got == 0 { break }
      count += got
    }
    guard count <= limit else {
      throw ObjectStoreError(.invalidLocation, "\(path) is larger than \(limit) bytes")
    }
    return Array(bytes[..<count])
  }

  /// A token in a file, without blanks around it.
  ///
  /// - Parameter variable: who named the file, for the error's words.
  static func token(_ path: String, from variable: String) throws -> String {
    let bytes = try read(path, limit: 1 << 16)
    let text = bytes.map { String(decoding: $0, as: UTF8.self).trimmingBlanks() }
    guard let text, !text.isEmpty else {
      throw ObjectStoreError.credentials(
        "\(variable) names \(path), which is \(bytes == nil ? "not there" : "empty")")
    }
    return text
  }
}
