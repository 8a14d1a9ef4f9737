import Glibc

/// A folder of which many small files are read, by one thread.
final class OpenFolder {
  private let descriptor: Int32
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)

  init(_ path: String) throws(Folder.Errno) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Folder.Errno(number: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    buffer.deallocate()
  }

  /// All bytes of a file. Three system calls for a small one.
  func read(_ name: String) throws(Folder.Errno) -> [UInt8] {
    let file = openat(descriptor, name, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Folder.Errno(number: errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    while true {
      let count = Glibc.read(file, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Folder.Errno(number: errno) }
      bytes.append(contentsOf: buffer[..<count])
      // Fewer bytes than were asked for: that was the end of the file.
      if count < buffer.count { return bytes }
    }
  }
}
