import Glibc
import Postgres

/// A file in a data directory while it is being restored: which cluster it is to become, and which
/// places are its. By it a restore that was killed can be taken up with `--delta`, and two at once
/// are refused.
final class RestoreMarker {
  static let name = "pgkeep.restoring"

  /// What an earlier restore, which was not finished, has left.
  struct Content: Equatable {
    var systemIdentifier: String
    var tablespaces: Set<String>
  }

  private let path: String
  private let descriptor: Int32

  /// Takes the directory for this process, until the marker is removed or the process ends.
  ///
  /// - Throws: ``PhysicalBackupError/Code/localPlace`` when another restore is at work there.
  init(_ places: RestorePlaces, _ files: LocalFiles) throws {
    path = places.dataDirectory + "/" + Self.name
    descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw LocalFiles.failure("write", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      guard code == EWOULDBLOCK else { throw LocalFiles.failure("lock", path, code) }
      throw PhysicalBackupError(
        .localPlace, "another restore into \(places.dataDirectory) is at work")
    }
  }

  deinit { close(descriptor) }

  /// Says what the directory is to become. Durable when it returns.
  func write(_ content: Content) throws {
    let lines = [content.systemIdentifier] + content.tablespaces.sorted()
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    guard ftruncate(descriptor, 0) == 0 else { throw LocalFiles.failure("write", path) }
    try bytes.withUnsafeBytes { try LocalFiles.write(descriptor, $0, at: 0, path) }
    guard fsync(descriptor) == 0 else { throw LocalFiles.failure("write", path) }
  }

  func remove() { unlink(path) }

  /// What the directory was to become; nil when no restore was begun there.
  static func read(_ dataDirectory: String) -> Content? {
    guard let bytes = try? LocalFiles.read(dataDirectory + "/" + name), bytes.last == 10 else {
      return nil
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    guard let identifier = lines.first else { return nil }
    return Content(systemIdentifier: identifier, tablespaces: Set(lines.dropFirst()))
  }
}
