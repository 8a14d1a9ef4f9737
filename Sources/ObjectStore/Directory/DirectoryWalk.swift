import Glibc

/// Goes through a directory store's files below a key prefix, in the order of the keys.
struct DirectoryWalk {
  private let store: DirectoryStore
  private let prefix: String
  private let after: String

  /// - Parameter after: only objects with a later key are given, and kept in memory.
  init(_ store: DirectoryStore, prefix: String, after: String = "") {
    self.store = store
    self.prefix = prefix
    self.after = after
  }

  /// Gives the objects.
  func objects(_ body: (ObjectInfo) throws -> Void) throws {
    try walk { key, path, isTemporary in
      guard !isTemporary else { return }
      var status = stat()
      // One that has just been deleted is none.
      guard lstat(path, &status) == 0, let info = ObjectInfo(key: key, status) else { return }
      try body(info)
    }
  }

  /// Gives the temporary files.
  func temporaryFiles(_ body: (UnfinishedWrite) throws -> Void) throws {
    try walk { key, path, isTemporary in
      guard isTemporary else { return }
      var status = stat()
      guard lstat(path, &status) == 0 else { return }
      let folder = DirectoryStore.folder(of: path)
      let name = String(decoding: path.utf8.dropFirst(folder.utf8.count + 1), as: UTF8.self)
      try body(UnfinishedWrite(key: key, id: name, started: UTCTime(status.st_mtim)))
    }
  }

  private typealias Visit = (_ key: String, _ path: String, _ isTemporary: Bool) throws -> Void

  private func walk(_ visit: Visit) throws {
    // The folder that the prefix names whole, so that the rest of the store is not read.
    let components = prefix.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    guard !components.contains("") else { return }
    let key = components.map { $0 + "/" }.joined()
    let path = store.root + components.map { "/" + FileNames.name(of: $0) }.joined()
    try walk(folder: path, key: key, visit)
  }

  private struct Entry {
    let name: String
    let key: String
    let isFolder: Bool
    let isTemporary: Bool
  }

  private func walk(folder: String, key: String, _ visit: Visit) throws {
    for entry in try entries(of: folder, key: key) {
      let path = folder + "/" + entry.name
      if entry.isFolder {
        // Not below a prefix that has other bytes, and not beside it.
        let wanted = prefix.utf8
        guard entry.key.utf8.starts(with: wanted) || wanted.starts(with: entry.key.utf8) else {
          continue
        }
        try walk(folder: path, key: entry.key, visit)
      } else if entry.key.utf8.starts(with: prefix.utf8) {
        try visit(entry.key, path, entry.isTemporary)
      }
    }
  }

  private func entries(of folder: String, key: String) throws -> [Entry] {
    guard let stream = opendir(folder) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      throw FileFailure.error("cannot list", folder, errno)
    }
    defer { closedir(stream) }
    var entries: [Entry] = []
    while true {
      errno = 0
      guard let record = readdir(stream) else {
        guard errno == 0 else { throw FileFailure.error("cannot list", folder, errno) }
        break
      }
      let name = withUnsafeBytes(of: &record.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let entry = entry(name, kind: record.pointee.d_type, folder: folder, key: key),
        isWanted(entry)
      {
        entries.append(entry)
      }
    }
    return entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  private func isWanted(_ entry: Entry) -> Bool {
    let (key, after) = (entry.key.utf8, after.utf8)
    // A folder before it may have it inside, and later keys.
    return after.lexicographicallyPrecedes(key) || entry.isFolder && after.starts(with: key)
  }

  private func entry(_ name: String, kind: UInt8, folder: String, key: String) -> Entry? {
    if let final = FileNames.final(ofTemporary: name) {
      return FileNames.component(of: final).map {
        Entry(name: name, key: key + $0, isFolder: false, isTemporary: true)
      }
    }
    guard let component = FileNames.component(of: name) else { return nil }
    var isFolder = kind == UInt8(DT_DIR)
    if kind == UInt8(DT_UNKNOWN) {
      var status = stat()
      isFolder =
        lstat(folder + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
    return Entry(
      name: name, key: key + component + (isFolder ? "/" : ""), isFolder: isFolder,
      isTemporary: false)
  }
}
