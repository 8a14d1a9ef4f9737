import LogicalBackup
import TestSupport

/// A backup in memory.
struct RestoreFile {
  let bytes: [UInt8]
  let name: String

  init(_ bytes: [UInt8], _ name: String) {
    self.bytes = bytes
    self.name = name
  }

  var reader: LogicalFileReader {
    let bytes = bytes
    return LogicalFileReader(name: name, size: bytes.count) { range, body in
      try bytes[range].withUnsafeBytes(body)
    }
  }

  /// The same as two gzip members, as gzip writes them.
  func gzipped() throws -> RestoreFile {
    let halves = [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]]
    return RestoreFile(
      try halves.flatMap { try Command.check("gzip", ["-c"], input: Array($0)).output }, name)
  }
}
