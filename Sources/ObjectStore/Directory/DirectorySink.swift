import ByteStream
import Crypto
import Glibc

/// A file that is being written under a temporary name.
final class DirectorySink: ByteSink {
  private let key: String
  private let path: String
  private let temporaryPath: String
  private let onlyIfAbsent: Bool
  private let cancellation: Cancellation
  private var file: OpenFile?

  init(
    _ store: DirectoryStore, key: String, onlyIfAbsent: Bool, cancellation: Cancellation
  ) throws {
    self.key = key
    self.onlyIfAbsent = onlyIfAbsent
    self.cancellation = cancellation
    path = try store.path(of: key)
    let folder = DirectoryStore.folder(of: path)
    let name = String(decoding: path.utf8.dropFirst(folder.utf8.count + 1), as: UTF8.self)
    let digits = Hex.encode(try SecureRandom.bytes(8))
    temporaryPath = folder + "/" + FileNames.temporary(for: name, digits: digits)
    try DirectoryStore.makeFolders(folder)
    file = try OpenFile(
      temporaryPath, flags: O_WRONLY | O_CREAT | O_EXCL, what: "cannot write below")
  }

  deinit { abort() }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    try ObjectStoreError.check(cancellation)
    guard let file else {
      throw ObjectStoreError(.fileSystem, "\(path) was already finished or aborted", key: key)
    }
    try file.write(bytes)
  }

  func finish() throws {
    guard let file else {
      throw ObjectStoreError(.fileSystem, "\(path) was already finished or aborted", key: key)
    }
    try ObjectStoreError.check(cancellation)
    try file.sync()
    try file.close()
    try publish()
    self.file = nil
    try DirectoryStore.syncFolder(DirectoryStore.folder(of: path))
  }

  func abort() {
    guard file != nil else { return }
    file = nil
    unlink(temporaryPath)
  }

  private func publish() throws {
    guard onlyIfAbsent else {
      guard rename(temporaryPath, path) == 0 else {
        throw FileFailure.error("cannot rename to", path, errno, key: key)
      }
      return
    }
    // link(2) is the one portable way to give a name that must not be taken yet.
    if link(temporaryPath, path) == 0 {
      unlink(temporaryPath)
      return
    }
    guard errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS else {
      throw FileFailure.error("cannot write", path, errno, key: key)
    }
    // A file system without hard links (FAT, some FUSE ones): a look before, then a rename.
    var status = stat()
    guard lstat(path, &status) != 0 else {
      throw FileFailure.error("cannot write", path, EEXIST, key: key)
    }
    guard rename(temporaryPath, path) == 0 else {
      throw FileFailure.error("cannot rename to", path, errno, key: key)
    }
  }
}
