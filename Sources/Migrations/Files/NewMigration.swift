import Glibc

/// Makes the two files of a new migration.
public enum NewMigration {
  /// Writes `<UTC time>_<name>.up.sql` and `.down.sql` into `folder`, which is made when missing.
  ///
  /// - Parameters:
  ///   - name: words for people; what is not a letter, digit, `_`, `-` or `.` becomes `_`.
  ///   - now: the time that the version tells, in seconds since 1970; one second later when that version is taken.
  /// - Returns: the paths of both files.
  public static func create(
    name: String, in folder: String, now: Int? = nil
  ) throws(MigrationsError) -> (up: String, down: String) {
    let words = fileName(name)
    guard !words.isEmpty else {
      throw MigrationsError(
        .invalidFiles, "The name \"\(name)\" holds no letter or digit: migrate new add_orders")
    }
    let directory = Folder(path: folder)
    if mkdir(folder, 0o777) != 0, errno != EEXIST {
      let reason = Folder.Errno(number: errno)
      throw MigrationsError(.invalidFiles, "Cannot make the folder \(folder): \(reason)")
    }
    let taken: Set<MigrationVersion>
    do throws(Folder.Errno) {
      taken = Set(
        try directory.names().compactMap { file in
          switch MigrationFileName(file) {
          case .up(let version, _), .down(let version, _): version
          default: nil
          }
        })
    } catch {
      throw MigrationsError(.invalidFiles, "Cannot read the folder \(folder): \(error)")
    }
    var moment = now ?? time(nil)
    var version = timestamp(moment)
    while let taking = MigrationVersion(version), taken.contains(taking) {
      moment += 1
      version = timestamp(moment)
    }
    let up = directory.file("\(version)_\(words).up.sql")
    let down = directory.file("\(version)_\(words).down.sql")
    try write(up, Array("-- \(name)\n\n".utf8))
    try write(down, Array("-- Undoes: \(name)\n\n".utf8))
    return (up, down)
  }

  static func fileName(_ name: String) -> String {
    var result = ""
    for character in name {
      let isKept = character.isLetter || character.isNumber || "_-.".contains(character)
      if isKept {
        result.append(character)
      } else if !result.isEmpty, !result.hasSuffix("_") {
        result.append("_")
      }
    }
    while result.hasSuffix("_") { result.removeLast() }
    return result.contains { $0.isLetter || $0.isNumber } ? result : ""
  }

  /// `yyyymmddhhmmss` in UTC.
  static func timestamp(_ moment: Int) -> String {
    var seconds = moment
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(parts.tm_year + 1900)" + two(parts.tm_mon + 1) + two(parts.tm_mday)
      + two(parts.tm_hour) + two(parts.tm_min) + two(parts.tm_sec)
  }

  /// Makes a new file.
  static func write(_ path: String, _ bytes: [UInt8]) throws(MigrationsError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let reason = Folder.Errno(number: errno)
      throw MigrationsError(.invalidFiles, "Cannot write \(path): \(reason)")
    }
    defer { close(descriptor) }
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      let reason = Folder.Errno(number: errno)
      throw MigrationsError(.invalidFiles, "Cannot write \(path): \(reason)")
    }
  }
}
