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

  /// All bytes of a file in the folder.
  func read(_ name: String) throws(Errno) -> [UInt8] { try OpenFolder(path).read(name) }

  /// A system call's error number.
  struct Errno: Error, CustomStringConvertible {
    let number: Int32
    var description: String { String(cString: strerror(number)) }
  }
}
