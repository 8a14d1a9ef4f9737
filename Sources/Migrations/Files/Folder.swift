import Glibc

/// Reading a folder of small files with system calls alone: this is what a deploy hook waits for.
struct Folder {
  let path: String

  /// The names in the folder, in order; throws `errno`.
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
    return names.sorted()
  }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

  /// All bytes of a file, wherever it is.
  static func file(at path: String) throws(Errno) -> [UInt8] {
    let slash = path.lastIndex(of: "/")
    let folder = Folder(path: slash.map { String(path[...$0]) } ?? ".")
    return try folder.read(slash.map { String(path[path.index(after: $0)...]) } ?? path)
  }

  /// All bytes of a file in the folder. Three system calls for a small one.
  func read(_ name: String) throws(Errno) -> [UInt8] {
    let descriptor = open(file(name), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Errno(number: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var failure: Errno?
    withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
      while true {
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = Errno(number: errno) }
        guard count > 0 else { return }
        bytes.append(contentsOf: buffer[..<count])
        // Fewer bytes than were asked for: that was the end of the file.
        if count < buffer.count { return }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// A system call's error number.
  struct Errno: Error, CustomStringConvertible {
    let number: Int32
    var description: String { String(cString: strerror(number)) }
  }
}
