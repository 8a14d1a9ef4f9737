import Glibc

/// File operations of a restore, with errors that name the file.
struct LocalFiles: Sendable {
  /// Who everything is given to, when this process is root.
  struct Owner: Hashable, Sendable {
    var name: String
    var user: UInt32
    var group: UInt32
  }

  var owner: Owner?

  /// - Throws: ``PhysicalBackupError/Code/localPlace`` when there is no such user.
  static func owner(_ name: String) throws -> Owner {
    guard let entry = getpwnam(name) else {
      throw PhysicalBackupError(.localPlace, "there is no user \(name) on this machine")
    }
    return Owner(name: name, user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
  }

  static func failure(_ what: String, _ path: String, _ code: Int32 = errno) -> PhysicalBackupError
  {
    PhysicalBackupError(
      .localPlace, "cannot \(what) \(path): \(String(cString: strerror(code)))")
  }

  /// Makes a directory and those above it.
  func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws {
    if mkdir(path, mode) == 0 {
      chmod(path, mode)
      return try giveAway(path)
    }
    switch errno {
    case EEXIST: return
    case ENOENT:
      guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { break }
      try makeDirectory(String(path[..<slash]), mode: 0o755)
      return try makeDirectory(path, mode: mode)
    default: break
    }
    throw Self.failure("make", path)
  }

  private func giveAway(_ path: String) throws {
    guard let owner, geteuid() == 0 else { return }
    guard lchown(path, owner.user, owner.group) == 0 else { throw Self.failure("chown", path) }
  }

  /// The names in a directory; nil when it is not there.
  static func names(_ path: String) throws -> [String]? {
    guard let directory = opendir(path) else {
      if errno == ENOENT { return nil }
      throw failure("read", path)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Writes a whole file under a temporary name, makes it durable, and renames it.
  func write(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws {
    let temporary = path + ".pgkeep-new"
    let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard file >= 0 else { throw Self.failure("write", temporary) }
    do {
      defer { close(file) }
      fchmod(file, mode)
      try bytes.withUnsafeBytes { try Self.write(file, $0, at: 0, temporary) }
      guard fsync(file) == 0 else { throw Self.failure("write", temporary) }
    }
    try giveAway(temporary)
    try Self.rename(temporary, path)
  }

  static func rename(_ from: String, _ to: String) throws {
    guard Glibc.rename(from, to) == 0 else { throw failure("rename \(from) to", to) }
  }

  /// Makes an empty file, or opens it when it is there, to write into.
  func open(_ path: String, mode: UInt32) throws -> Int32 {
    var file = Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
    if file < 0, errno == ENOENT, let slash = path.lastIndex(of: "/") {
      try makeDirectory(String(path[..<slash]))
      file = Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
    }
    guard file >= 0 else { throw Self.failure("write", path) }
    if let owner, geteuid() == 0, fchown(file, owner.user, owner.group) != 0 {
      close(file)
      throw Self.failure("chown", path)
    }
    return file
  }

  static func write(
    _ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int, _ path: String
  ) throws {
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        file, bytes.baseAddress.map { $0 + done }, bytes.count - done, offset + done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("write", path) }
      done += count
    }
  }

  /// Makes a directory's names durable.
  static func sync(directory path: String) throws {
    let file = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw failure("read", path) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw failure("sync", path) }
  }

  func makeLink(_ path: String, to target: String) throws {
    guard symlink(target, path) == 0 else { throw Self.failure("make the link", path) }
    try giveAway(path)
  }

  static func read(_ path: String) throws -> [UInt8] {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure("read", path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }
}
