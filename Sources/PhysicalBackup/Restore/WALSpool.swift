import Glibc
import Gzip
import Postgres

/// A folder with segments that recovery is going to ask for, fetched beforehand.
///
/// `NAME.CRC` is a whole segment with its checksum; `NAME.part` is being fetched by whoever holds
/// the lock on `lock`; `position` names the segment that was asked for last. Nothing in it is made
/// durable: after a crash the checksum says what is still good. Segments that are not whole are
/// never kept, since more of them may be stored by the time they are asked for.
///
/// Where the folder is gone nothing is fetched beforehand, so whoever is done with it calls
/// ``discard()``, and a fetch that is under way ends by itself.
public struct WALSpool: Sendable {
  /// Segments that are kept at most, unless they are very large.
  static let mostSegments = 8
  /// Bytes that are kept at most, if more than one segment is.
  static let mostBytes = 256 << 20

  let path: String
  private var lockFile: String { path + "/lock" }
  private var positionFile: String { path + "/position" }

  public init(path: String) { self.path = path }

  /// Makes the folder, empty.
  ///
  /// - Parameter owner: whose it becomes, when this process is root.
  public func make(owner: String?) throws {
    discard()
    try LocalFiles(owner: try owner.map { try LocalFiles.owner($0) }).makeDirectory(path)
  }

  /// Removes the folder. What is being fetched into it has no place to go, and ends.
  public func discard() {
    // Under another name first: nobody can put anything into it while it is emptied.
    let old = path + ".discarded"
    for folder in rename(path, old) == 0 ? [old] : [old, path] {
      for name in (try? LocalFiles.names(folder)) ?? nil ?? [] { unlink(folder + "/" + name) }
      rmdir(folder)
    }
  }

  var exists: Bool { LocalFiles.exists(path) }

  /// How many segments are kept.
  static func depth(segmentSize: Int) -> Int { max(1, min(mostSegments, mostBytes / segmentSize)) }

  // MARK: For who asks

  /// Says which segment was given, so that those after it are fetched.
  ///
  /// - Returns: false for a file that is no segment, or where nothing is fetched beforehand.
  public func note(_ name: String) -> Bool {
    guard name.utf8.count == Self.nameLength, exists else { return false }
    let temporary = positionFile + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    let bytes = Array(name.utf8)
    let isWritten = write(file, bytes, bytes.count) == bytes.count
    close(file)
    return isWritten && rename(temporary, positionFile) == 0
  }

  /// Moves a segment to where it is wanted, if it is here and sound; waits for one that is being
  /// fetched.
  ///
  /// - Parameter patience: how long to wait for it.
  /// - Returns: false when it has to be fetched.
  public func take(_ name: String, to destination: String, patience: Duration = .seconds(60))
    -> Bool
  {
    let giveUp = ContinuousClock.now + patience
    while let names = (try? LocalFiles.names(path)) ?? nil {
      if let entry = names.lazy.compactMap({ Entry($0) }).first(where: { $0.segment == name }) {
        let file = path + "/" + entry.fileName
        if Self.checksum(file) == entry.checksum, rename(file, destination) == 0 { return true }
        // Damaged, or the place is on another disk, which the next one is, too.
        unlink(file)
        return false
      }
      guard names.contains(name + Self.partSuffix), isBusy, ContinuousClock.now < giveUp else {
        return false
      }
      Pause.milliseconds(5)
    }
    return false
  }

  /// Whether somebody should fetch ahead: nobody does, and little is there of what comes after a
  /// segment.
  public func wantsMore(after name: String) -> Bool {
    guard exists, !isBusy else { return false }
    let timeline = name.prefix(8)
    let later = segments.filter { $0.hasPrefix(timeline) && $0 > name }
    return later.count <= Self.mostSegments / 2
  }

  // MARK: For who fetches

  static let partSuffix = ".part"
  private static let nameLength = 24

  /// A segment in the folder.
  struct Entry: Hashable {
    var segment: String
    var checksum: UInt32

    init(segment: String, checksum: UInt32) {
      self.segment = segment
      self.checksum = checksum
    }

    init?(_ fileName: String) {
      let parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].utf8.count == WALSpool.nameLength, parts[1].utf8.count == 8,
        let checksum = UInt32(parts[1], radix: 16)
      else { return nil }
      self.init(segment: String(parts[0]), checksum: checksum)
    }

    var fileName: String {
      let digits = String(checksum, radix: 16, uppercase: true)
      return segment + "." + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
  }

  /// The segment that was asked for last.
  var position: String? {
    guard let bytes = try? LocalFiles.read(positionFile), bytes.count == Self.nameLength
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Takes the lock, which the process then holds until it closes the file or ends.
  ///
  /// - Returns: nil when another process has it, or the folder is gone.
  func lock() -> Int32? {
    let file = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { return nil }
    if flock(file, LOCK_EX | LOCK_NB) == 0 { return file }
    close(file)
    return nil
  }

  private var isBusy: Bool {
    let file = open(lockFile, O_RDWR | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    return flock(file, LOCK_SH | LOCK_NB) != 0
  }

  /// Removes segments that nobody will ask for any more.
  func keep(only wanted: Set<String>) {
    for name in (try? LocalFiles.names(path)) ?? nil ?? [] {
      if let entry = Entry(name), !wanted.contains(entry.segment) { unlink(path + "/" + name) }
    }
  }

  /// Removes what a fetch has left that was killed; for who holds the lock.
  func removeParts() {
    for name in (try? LocalFiles.names(path)) ?? nil ?? [] where name.hasSuffix(Self.partSuffix) {
      unlink(path + "/" + name)
    }
  }

  /// The segments that are here.
  var segments: Set<String> {
    Set(((try? LocalFiles.names(path)) ?? nil ?? []).lazy.compactMap { Entry($0)?.segment })
  }

  private static func checksum(_ path: String) -> UInt32? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { buffer.deallocate() }
    var checksum: UInt32 = 0
    while true {
      let count = read(file, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { return checksum }
      checksum = CRC32.update(checksum, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
