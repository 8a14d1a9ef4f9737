import ByteStream
import Glibc
import Gzip
import ObjectStore

/// Unpacks the archives of a base backup on several threads at once: each fetches a run of gzip
/// members by a ranged read and writes what they hold into the files at its place.
struct BaseUnpack {
  /// Members in one ranged read.
  private static let run = 8

  let store: any ObjectStore
  let files: LocalFiles
  let jobs: Int
  /// Called with bytes of tar as they are unpacked, from any thread.
  let onBytes: @Sendable (Int) -> Void

  /// An archive, where it goes, and names that are different there. Entries that are not wanted are
  /// left out of it; members without any that is are not fetched.
  struct Part: Sendable {
    var key: String
    var archive: BaseIndex.Archive
    var directory: String
    /// Names for entries that must not be visible under their own yet.
    var renamed: [String: String] = [:]

    func path(_ entry: TarEntry) -> String { directory + "/" + (renamed[entry.path] ?? entry.path) }
  }

  private struct Run: Sendable {
    var part: Part
    /// Bytes of the object.
    var range: Range<Int>
    var members: [BaseIndex.Member]
    /// Where the first member's text begins in the archive.
    var plainStart: Int
    /// The entries with content in these members.
    var entries: Range<Int>
  }

  /// - Returns: the bytes that were asked of the store.
  func run(_ parts: [Part], cancellation: Cancellation) throws -> Int {
    var runs: [Run] = []
    for part in parts {
      try makeEmpty(part)
      runs += Self.runs(part)
    }
    // Enough room for all: nobody waits while the group is being filled.
    let queue = BoundedChannel<Run>(capacity: max(1, runs.count))
    for run in runs { try queue.send(run) }
    queue.finish()
    let group = ThreadGroup(following: cancellation) { queue.fail($0) }
    for number in 1...jobs {
      group.start("unpack-\(number)") {
        let worker = UnpackWorker(self, group.cancellation)
        while let run = try queue.receive() { try worker.unpack(run) }
      }
    }
    try group.join()
    return runs.reduce(0) { $0 + $1.range.count }
  }

  /// Makes directories, links and files without content.
  private func makeEmpty(_ part: Part) throws {
    for entry in part.archive.entries {
      let path = part.path(entry)
      switch entry.kind {
      case .directory:
        if !entry.path.isEmpty, entry.path != "." {
          try files.makeDirectory(path, mode: UInt32(entry.mode))
        }
      case .symbolicLink:
        if let target = entry.target { try files.makeLink(path, to: target) }
      case .file where entry.size == 0: close(try files.open(path, mode: UInt32(entry.mode)))
      case .file: break
      }
    }
  }

  private static func runs(_ part: Part) -> [Run] {
    let entries = part.archive.entries
    var runs: [Run] = []
    var offset = 0
    var plain = 0
    var firstEntry = 0
    for member in part.archive.members {
      // Entries are in the order of the archive; the first one may have begun in an earlier member.
      while firstEntry < entries.count,
        entries[firstEntry].offset + entries[firstEntry].size <= plain
      { firstEntry += 1 }
      var end = firstEntry
      while end < entries.count, entries[end].offset < plain + member.plain { end += 1 }
      let isWanted = entries[firstEntry..<end].contains { $0.size > 0 }
      if isWanted {
        if let last = runs.last, last.range.upperBound == offset, last.members.count < run {
          runs[runs.count - 1].range = last.range.lowerBound..<offset + member.length
          runs[runs.count - 1].members.append(member)
          runs[runs.count - 1].entries = last.entries.lowerBound..<end
        } else {
          runs.append(
            Run(
              part: part, range: offset..<offset + member.length, members: [member],
              plainStart: plain, entries: firstEntry..<end))
        }
      }
      offset += member.length
      plain += member.plain
    }
    return runs
  }

  /// One thread's work.
  private final class UnpackWorker {
    private let unpack: BaseUnpack
    private let cancellation: Cancellation
    private let decompressor = MemberDecompressor()
    private let member = Block(capacity: MemberPipeline.memberSize)
    private let text = Block(capacity: MemberPipeline.memberSize + 1)
    /// The file that was written to last, so that a large one is not opened for each member.
    private var open: (path: String, file: Int32)?

    init(_ unpack: BaseUnpack, _ cancellation: Cancellation) {
      self.unpack = unpack
      self.cancellation = cancellation
    }

    deinit { if let open { close(open.file) } }

    func unpack(_ run: Run) throws {
      var index = 0
      var plain = run.plainStart
      member.reset()
      try unpack.store.read(run.part.key, range: run.range, cancellation: cancellation) { bytes in
        var rest = bytes
        while !rest.isEmpty, index < run.members.count {
          let missing = run.members[index].length - member.count
          let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(missing))
          member.append(piece)
          rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
          guard member.count == run.members[index].length else { continue }
          text.reset()
          do {
            try decompressor.decompress(member.bytes, into: text)
          } catch let error as GzipError {
            throw PhysicalBackupError(
              .damaged, "\(run.part.key) is damaged near byte \(run.range.lowerBound)",
              cause: error)
          }
          guard text.count == run.members[index].plain else {
            throw PhysicalBackupError(
              .damaged, "\(run.part.key) and its index do not belong together")
          }
          try place(text.bytes, at: plain, run)
          plain += text.count
          unpack.onBytes(text.count)
          index += 1
          member.reset()
          try cancellation.check()
        }
      }
    }

    /// Writes the parts of files that lie in a piece of the archive.
    private func place(_ bytes: UnsafeRawBufferPointer, at start: Int, _ run: Run) throws {
      let end = start + bytes.count
      for index in run.entries {
        let entry = run.part.archive.entries[index]
        if entry.offset >= end { break }
        guard entry.kind == .file, entry.size > 0, entry.offset + entry.size > start
        else { continue }
        let from = max(entry.offset, start)
        let to = min(entry.offset + entry.size, end)
        let path = run.part.path(entry)
        let file = try descriptor(path, entry)
        try LocalFiles.write(
          file, UnsafeRawBufferPointer(rebasing: bytes[(from - start)..<(to - start)]),
          at: from - entry.offset, path)
      }
    }

    private func descriptor(_ path: String, _ entry: TarEntry) throws -> Int32 {
      if let open, open.path == path { return open.file }
      if let open { close(open.file) }
      open = nil
      let file = try unpack.files.open(path, mode: UInt32(entry.mode))
      open = (path, file)
      return file
    }
  }
}
