import Glibc

/// Reading a folder of small files with system calls alone: this is what a deploy hook waits for.
struct Folder {
  let path: String

  /// The names in the folder, sorted by bytes; throws `errno`.
  func names() throws(Errno) -> [String] {
    guard let directory = opendir(path) else { throw Errno(number: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

  /// All bytes of a file in the folder.
  func read(_ name: String) throws(Errno) -> [UInt8] {
    let descriptor = open(file(name), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Errno(number: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Errno(number: errno) }
    var bytes: [UInt8] = []
    // One byte more than there should be, so that the last read sees the end.
    var wanted = max(Int(status.st_size), 0) + 1
    while true {
      let start = bytes.count
      bytes.append(contentsOf: repeatElement(0, count: wanted))
      let count = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + start }, wanted)
      }
      bytes.removeLast(wanted - max(count, 0))
      if count < 0 {
        if errno == EINTR { continue }
        throw Errno(number: errno)
      }
      if count == 0 { return bytes }
      wanted = max(wanted - count, 4096)
    }
  }

  /// A system call's error number.
  struct Errno: Error, CustomStringConvertible {
    let number: Int32
    var description: String { String(cString: strerror(number)) }
  }
}
