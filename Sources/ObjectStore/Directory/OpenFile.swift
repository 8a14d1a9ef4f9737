import Glibc

/// One open file: closed when this goes away.
final class OpenFile {
  let path: String
  private var descriptor: Int32

  /// Opens a file, not following a symbolic link in the last component; or a folder, following.
  ///
  /// - Parameter flags: as for open(2); `O_CLOEXEC` is added, and `O_NOFOLLOW` for files.
  init(_ path: String, flags: Int32, what: String) throws {
    self.path = path
    let following = flags & O_DIRECTORY != 0 ? 0 : O_NOFOLLOW
    descriptor = open(path, flags | O_CLOEXEC | following, 0o600)
    if descriptor < 0 { throw FileFailure.error(what, path, errno) }
  }

  deinit {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
  }

  /// Size, times and kind.
  func status() throws -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileFailure.error("cannot examine", path, errno)
    }
    return status
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while rest.count > 0 {
      let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw FileFailure.error("cannot write", path, errno)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// Reads at an offset; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    while true {
      let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
      if count >= 0 { return count }
      if errno != EINTR { throw FileFailure.error("cannot read", path, errno) }
    }
  }

  /// Tells the kernel that the file will be read from front to back.
  func adviseSequential() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }

  /// Makes what was written survive a power cut.
  func sync() throws {
    guard fsync(descriptor) == 0 else { throw FileFailure.error("cannot fsync", path, errno) }
  }

  /// Closes, and says what closing says: a network file system reports late errors there.
  func close() throws {
    guard descriptor >= 0 else { return }
    let status = Glibc.close(descriptor)
    descriptor = -1
    guard status == 0 || errno == EINTR else {
      throw FileFailure.error("cannot close", path, errno)
    }
  }
}
