import ByteStream

/// One file of a migrations folder as it was read, with what is wrong with it.
struct ReadFile: Sendable {
  let kind: MigrationFileName
  let path: String
  /// nil where the file is not ours, could not be read, or was not to be.
  private(set) var script: MigrationScript?
  private(set) var problems: [MigrationProblem] = []

  /// - Parameter read: gives the bytes; only called for a file that is ours. nil where the file is
  ///   not to be read.
  init(_ name: String, path: String, _ read: (() throws(Folder.Errno) -> [UInt8])?) {
    kind = MigrationFileName(name)
    self.path = path
    switch kind {
    case .other: return
    case .malformed(let reason): problems = [MigrationProblem(file: path, message: reason)]
    case .up, .down, .repeatable:
      guard let read else { return }
      do throws(Folder.Errno) {
        script = MigrationScript(source: path, bytes: try read(), problems: &problems)
      } catch {
        problems = [MigrationProblem(file: path, message: "cannot be read: \(error)")]
      }
    }
  }

  /// Reads many files, in the order of their names, on two threads when there are enough: more only
  /// wait for each other inside the kernel.
  ///
  /// - Parameter omitsDowns: whether down files are left unread.
  static func all(_ names: [String], in folder: Folder, omitsDowns: Bool) -> [ReadFile] {
    let middle = names.count > 500 ? names.count / 2 : names.count
    let rest = Monitor<[ReadFile]?>(middle == names.count ? [] : nil)
    if middle < names.count {
      JobThread.start("migration files") {
        let files = read(names[middle...], in: folder, omitsDowns)
        rest.update { $0 = files }
      }
    }
    return read(names[..<middle], in: folder, omitsDowns) + rest.wait { $0 }
  }

  private static func read(
    _ names: ArraySlice<String>, in folder: Folder, _ omitsDowns: Bool
  ) -> [ReadFile] {
    let open = Result { () throws(Folder.Errno) in try OpenFolder(folder.path) }
    return names.map { name in
      let read = { () throws(Folder.Errno) in try open.get().read(name) }
      let isOmitted = omitsDowns && name.hasSuffix(".down.sql")
      return ReadFile(name, path: folder.file(name), isOmitted ? nil : read)
    }
  }
}
