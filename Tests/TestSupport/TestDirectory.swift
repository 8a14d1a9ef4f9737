import Foundation
import Glibc
import Synchronization

/// A new empty directory that is removed, with all that is in it, when the last reference to it
/// goes, and at the latest when the test process ends.
public final class TestDirectory: Sendable {
  /// Its absolute path, without a slash at its end.
  public let path: String

  /// Makes the directory under `/tmp`: a short path, as a Unix socket's must be, that every user
  /// may enter.
  public init() throws {
    _ = Self.sweep
    var template = Array("/tmp/pgkeep-test-\(getpid())-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw TestSupportError("no temporary directory: \(String(cString: strerror(errno)))")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    chmod(path, 0o755)
    AtExit.shared.keep(ObjectIdentifier(self)) { [path] in Self.remove(path) }
  }

  deinit {
    AtExit.shared.drop(ObjectIdentifier(self))
    Self.remove(path)
  }

  /// The path of a file in it.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file of it, and makes the directories that its name asks for.
  /// - Returns: the file's path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  /// Writes a file of it, and makes the directories that its name asks for.
  /// - Returns: the file's path.
  @discardableResult
  public func write(_ bytes: [UInt8], to name: String) throws -> String {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return file(name)
  }

  /// The bytes of a file of it.
  public func read(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(fileURLWithPath: file(name))))
  }

  /// The names in it, or in one of its directories, in order.
  public func names(in directory: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path + "/" + directory).sorted()
  }

  private static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }

  private static let sweep: Void = removeLeftovers()

  /// Removes what test processes that were killed have left behind. Done once per process anyway.
  public static func removeLeftovers() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
    for name in names where name.hasPrefix("pgkeep-test-") {
      let parts = name.split(separator: "-")
      guard parts.count == 4, let pid = Int32(parts[2]) else { continue }
      if kill(pid, 0) == -1, errno == ESRCH { remove("/tmp/" + name) }
    }
  }
}
