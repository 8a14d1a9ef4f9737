import ByteStream
import Crypto
import Glibc

/// The preparation of a data directory that is not empty: what is the same as in the backup stays,
/// everything else in it is removed, to be fetched.
///
/// A file stays when its size and its SHA-256 are those of the server's manifest; times are not
/// looked at. Links are never followed: what is reached through one is outside.
struct DeltaRestore {
  private let places: RestorePlaces
  private let base: BaseManifest
  private let files: LocalFiles
  private let jobs: Int
  private let syncs: Bool

  struct Outcome: Sendable {
    /// Paths of the files that stay.
    var kept: Set<String> = []
    var keptBytes = 0
    /// Files and links that the backup does not have.
    var removed = 0
    var remarks: [String] = []
  }

  private static let oldControlFile = "global/pg_control.pgkeep-old"

  init(_ places: RestorePlaces, _ base: BaseManifest, _ files: LocalFiles, jobs: Int, syncs: Bool) {
    self.places = places
    self.base = base
    self.files = files
    self.jobs = jobs
    self.syncs = syncs
  }

  /// Refuses a directory that is not a stopped cluster of the same identifier, before anything is
  /// changed.
  ///
  /// - Returns: whether there is anything to keep; false for a directory that is empty or not there.
  func check() throws -> Bool {
    let directory = places.dataDirectory
    guard let names = try LocalFiles.names(directory), !names.isEmpty else {
      try places.makeEmpty(files)
      return false
    }
    try RunningServer.refuse(directory)
    let marker = RestoreMarker.read(directory)
    guard let identifier = try identifier() ?? marker?.systemIdentifier else {
      throw PhysicalBackupError(
        .localPlace,
        "\(directory) holds no cluster (there is no \(RestorePlaces.controlFile)), and no restore "
          + "was begun there: --delta would remove what is in it; nothing was changed")
    }
    guard identifier == base.server.systemIdentifier else {
      throw PhysicalBackupError(
        .localPlace,
        "\(directory) holds cluster \(identifier), and the backup is of "
          + "\(base.server.systemIdentifier); nothing was changed")
    }
    for (oid, place) in places.tablespaces.sorted(by: { $0.key < $1.key }) {
      guard let names = try LocalFiles.names(place), !names.isEmpty else { continue }
      guard
        Self.linkTarget(directory + "/pg_tblspc/" + oid) == place
          || marker?.tablespaces.contains(place) ?? false || mapped().contains("\(oid) \(place)")
      else {
        throw PhysicalBackupError(
          .localPlace,
          "\(place) is not empty, and is no tablespace of the cluster in \(directory); nothing was "
            + "changed. Give the tablespace another place with --tablespace-mapping")
      }
    }
    return true
  }

  /// Compares and removes. No server starts in the directory from then on.
  ///
  /// - Parameter sources: what the backup has.
  func run(_ sources: RestoreSources, cancellation: Cancellation) throws -> Outcome {
    let directory = places.dataDirectory
    var outcome = Outcome()
    outcome.remarks = leftTablespaces()
    let hidesControl = LocalFiles.exists(directory + "/" + RestorePlaces.controlFile)
    if hidesControl {
      try LocalFiles.rename(
        directory + "/" + RestorePlaces.controlFile, directory + "/" + Self.oldControlFile)
      try LocalFiles.sync(directory: directory + "/global")
    }
    var found = Tree()
    do {
      // It may have been started while the archive was read.
      try RunningServer.refuse(directory)
      for root in sources.roots { try found.walk(root) }
      outcome.kept = try compare(sources, found, cancellation)
    } catch {
      // Nothing was changed so far.
      if hidesControl {
        try? LocalFiles.rename(
          directory + "/" + Self.oldControlFile, directory + "/" + RestorePlaces.controlFile)
      }
      throw error
    }
    outcome.keptBytes = sources.expected.reduce(0) { sum, one in
      outcome.kept.contains(one.path) ? sum + one.file.size : sum
    }
    outcome.remarks += replacedLinks(sources, found)
    outcome.removed = try clean(sources, found, outcome.kept, cancellation)
    for place in places.tablespaces.values { try places.make(place, files) }
    return outcome
  }

  // MARK: What is there

  /// The first eight bytes of the control file (pg_control.h), in this machine's order.
  private func identifier() throws -> String? {
    for name in [RestorePlaces.controlFile, Self.oldControlFile] {
      let path = places.dataDirectory + "/" + name
      guard LocalFiles.exists(path) else { continue }
      let bytes = try LocalFiles.read(path)
      guard bytes.count >= 8 else { continue }
      return "\(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })"
    }
    return nil
  }

  /// The lines of the map from which a server makes its links to tablespaces: after a restore they
  /// are not there before its first start.
  private func mapped() -> Set<String> {
    let map = (try? LocalFiles.read(places.dataDirectory + "/tablespace_map")) ?? []
    return Set(String(decoding: map, as: UTF8.self).split(separator: "\n").map(String.init))
  }

  private static func linkTarget(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { raw in
      raw.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink(path, $0, text.count) } ?? -1
      }
    }
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  private func leftTablespaces() -> [String] {
    let folder = places.dataDirectory + "/pg_tblspc"
    return ((try? LocalFiles.names(folder)) ?? nil ?? []).sorted().compactMap { oid in
      guard let target = Self.linkTarget(folder + "/" + oid), places.tablespaces[oid] != target
      else { return nil }
      return "the tablespace at \(target) is not used any more; its files were left there"
    }
  }

  private func replacedLinks(_ sources: RestoreSources, _ found: Tree) -> [String] {
    sources.parts.flatMap { part in
      part.archive.entries.compactMap { entry in
        let path = part.directory + "/" + entry.path
        guard entry.kind == .directory, found.others.contains(path),
          let target = Self.linkTarget(path)
        else { return nil }
        return "\(path) was a link to \(target) and is a folder now; what is there was left there"
      }
    }
  }

  /// Files and folders below some roots, without following links.
  private struct Tree {
    /// Sizes of regular files with one name, by path.
    var files: [String: Int] = [:]
    var directories: Set<String> = []
    /// Everything else: links, sockets, files with several names.
    var others: Set<String> = []
    /// Each path after those below it.
    var order: [String] = []

    mutating func walk(_ path: String, isRoot: Bool = true) throws {
      var entry = stat()
      guard lstat(path, &entry) == 0 else {
        if errno == ENOENT { return }
        throw LocalFiles.failure("read", path)
      }
      switch entry.st_mode & S_IFMT {
      case S_IFDIR:
        for name in try LocalFiles.names(path) ?? [] { try walk(path + "/" + name, isRoot: false) }
        directories.insert(path)
      case S_IFREG where entry.st_nlink == 1: files[path] = Int(entry.st_size)
      default:
        // The data directory itself may be a link to where it is.
        if isRoot, stat(path, &entry) == 0, entry.st_mode & S_IFMT == S_IFDIR {
          for name in try LocalFiles.names(path) ?? [] {
            try walk(path + "/" + name, isRoot: false)
          }
          directories.insert(path)
        } else {
          others.insert(path)
        }
      }
      if !isRoot { order.append(path) }
    }
  }

  // MARK: Comparing

  private func compare(
    _ sources: RestoreSources, _ found: Tree, _ cancellation: Cancellation
  ) throws -> Set<String> {
    var modes: [String: Int] = [:]
    for part in sources.parts {
      for entry in part.archive.entries where entry.kind == .file {
        modes[part.path(entry)] = entry.mode
      }
    }
    let candidates = sources.expected.filter { found.files[$0.path] == $0.file.size }
    let queue = BoundedChannel<RestoreSources.Expected>(capacity: max(1, candidates.count))
    for candidate in candidates { try queue.send(candidate) }
    queue.finish()
    let kept = Monitor(Set<String>())
    let group = ThreadGroup(following: cancellation) { queue.fail($0) }
    let (files, syncs, known) = (files, syncs, modes)
    for number in 1...jobs {
      group.start("compare-\(number)") {
        let buffer = Block(capacity: 1 << 20)
        while let one = try queue.receive() {
          try group.cancellation.check()
          guard let mode = known[one.path],
            try Self.isSame(one, mode, buffer, files, syncs: syncs)
          else { continue }
          kept.update { _ = $0.insert(one.path) }
        }
      }
    }
    try group.join()
    return kept.update { $0 }
  }

  private static func isSame(
    _ one: RestoreSources.Expected, _ mode: Int, _ buffer: Block, _ files: LocalFiles, syncs: Bool
  ) throws -> Bool {
    guard let expected = one.file.sha256 else { return false }
    let descriptor = open(one.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    // Whatever cannot be read is written anew.
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard
      let (size, hash) = try? BaseVerification.hash(descriptor, one.path, buffer, hashes: true),
      size == one.file.size, hash == expected
    else { return false }
    fchmod(descriptor, mode_t(mode))
    if let owner = files.owner, geteuid() == 0 { fchown(descriptor, owner.user, owner.group) }
    // An earlier restore may have been killed before it was durable.
    if syncs, fsync(descriptor) != 0 { throw LocalFiles.failure("sync", one.path) }
    return true
  }

  // MARK: Removing

  /// - Returns: how many files and links were removed that the backup does not have.
  private func clean(
    _ sources: RestoreSources, _ found: Tree, _ kept: Set<String>, _ cancellation: Cancellation
  ) throws -> Int {
    var wanted: Set<String> = []
    for part in sources.parts {
      // By their own names, under which they were before.
      for entry in part.archive.entries { wanted.insert(part.directory + "/" + entry.path) }
    }
    let own = Set(
      [RestoreMarker.name, Self.oldControlFile].map { places.dataDirectory + "/" + $0 })
    var removed = 0
    for path in found.order where !kept.contains(path) && !own.contains(path) {
      try cancellation.check()
      if found.directories.contains(path) {
        if sources.folders.contains(path) { continue }
        guard rmdir(path) == 0 || errno == ENOENT else { throw LocalFiles.failure("remove", path) }
      } else {
        guard unlink(path) == 0 || errno == ENOENT else { throw LocalFiles.failure("remove", path) }
        if !wanted.contains(path), !path.contains(".pgkeep-") { removed += 1 }
      }
    }
    return removed
  }

  /// Takes away what only an unfinished restore needs.
  func finish() {
    unlink(places.dataDirectory + "/" + Self.oldControlFile)
  }
}
