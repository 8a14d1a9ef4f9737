/// What is fetched from a base backup and those that it holds the changes since, where it goes,
/// and what it must be.
struct RestoreSources: Sendable {
  /// A base backup with what is known of its contents.
  struct Link {
    var manifest: BaseManifest
    var index: BaseIndex
    var server: ServerManifest
  }

  /// A file that must be the same as the server had sent.
  struct Expected: Sendable {
    var file: ServerManifest.File
    /// Where it lies.
    var path: String
  }

  /// A file that is put together from a whole one and what changed in it.
  struct Combination: Sendable {
    /// Where the whole file lies, and the result.
    var path: String
    /// The files with changes, the oldest first; they are removed.
    var increments: [String] = []
  }

  private(set) var parts: [BaseUnpack.Part] = []
  private(set) var expected: [Expected] = []
  private(set) var combinations: [Combination] = []
  /// The folders in which nothing but the backup's files is to be: the data directory, and of a
  /// tablespace those of this cluster's version.
  private(set) var roots: [String] = []
  /// Every folder that the backup has.
  private(set) var folders: Set<String> = []

  /// - Parameter chain: the whole base backup first, the one that is restored last.
  init(_ chain: [Link], _ places: RestorePlaces) throws {
    let wanted = try wanted(chain, places)
    for (level, link) in chain.enumerated() {
      let isLast = level == chain.count - 1
      guard link.index.archives.count == link.manifest.archives.count else {
        throw PhysicalBackupError(
          .damaged, "the backup's manifest and index do not belong together")
      }
      for (archive, object) in zip(link.index.archives, link.manifest.archives) {
        // One that was dropped since.
        if !isLast, let oid = archive.tablespace, places.tablespaces[oid] == nil { continue }
        let directory = try places.directory(archive)
        var part = BaseUnpack.Part(key: object.key, archive: archive, directory: directory)
        func name(_ entry: TarEntry) -> String {
          archive.tablespace.map { "pg_tblspc/\($0)/" + entry.path } ?? entry.path
        }
        if isLast {
          if archive.tablespace == nil { part.renamed = RestorePlaces.hidden }
          part.archive.entries = archive.entries.map { Self.relinked($0, archive, places) }
          addRoots(archive, directory)
        } else {
          part.archive.entries = archive.entries.filter {
            $0.kind == .file && wanted[level][name($0)] != nil
          }
        }
        for entry in part.archive.entries where entry.kind == .file {
          guard let place = wanted[level][name(entry)] else { continue }
          part.renamed[entry.path] = String(place.dropFirst(directory.count + 1))
        }
        if !part.archive.entries.isEmpty { parts.append(part) }
      }
      expected += link.server.files.compactMap { file in
        let place = wanted[level][file.path] ?? (isLast ? places.path(file.path) : nil)
        return place.map { Expected(file: file, path: $0) }
      }
    }
  }

  /// The place of each file that is wanted of older base backups, and of those of the last one
  /// that lie elsewhere at first; by the names of the server's manifests.
  private mutating func wanted(
    _ chain: [Link], _ places: RestorePlaces
  ) throws -> [[String: String]] {
    var wanted = [[String: String]](repeating: [:], count: chain.count)
    guard let last = chain.last, chain.count > 1 else { return wanted }
    let names = chain.map { Set($0.server.files.map(\.path)) }
    for file in last.server.files {
      guard let whole = Self.wholeName(file.path) else { continue }
      var combination = Combination(path: places.path(whole))
      var level = chain.count - 1
      while true {
        let place = places.path(file.path) + ".pgkeep-\(level)"
        wanted[level][file.path] = place
        combination.increments.insert(place, at: 0)
        level -= 1
        if level >= 0, names[level].contains(whole) {
          wanted[level][whole] = combination.path
          break
        }
        guard level >= 0, names[level].contains(file.path) else {
          throw PhysicalBackupError(
            .damaged,
            "base \(last.manifest.id) holds changes of \(whole), and none of the base backups that "
              + "it was made from has the file")
        }
      }
      combinations.append(combination)
    }
    return wanted
  }

  /// The name of the file that a file with changes is about; nil for any other file.
  private static func wholeName(_ name: String) -> String? {
    guard let slash = name.lastIndex(of: "/"),
      ["base/", "global/", "pg_tblspc/"].contains(where: { name.hasPrefix($0) })
    else { return nil }
    let file = name[name.index(after: slash)...]
    guard file.hasPrefix(IncrementalFile.prefix) else { return nil }
    return String(name[...slash]) + String(file.dropFirst(IncrementalFile.prefix.utf8.count))
  }

  /// The server makes the links to tablespaces anew from its map; until then they must not lead to
  /// where the source's tablespaces were.
  private static func relinked(
    _ entry: TarEntry, _ archive: BaseIndex.Archive, _ places: RestorePlaces
  ) -> TarEntry {
    guard archive.tablespace == nil, entry.kind == .symbolicLink,
      entry.path.hasPrefix("pg_tblspc/"),
      let place = places.tablespaces[String(entry.path.dropFirst("pg_tblspc/".count))]
    else { return entry }
    var entry = entry
    entry.target = place
    return entry
  }

  private mutating func addRoots(_ archive: BaseIndex.Archive, _ directory: String) {
    if archive.tablespace == nil {
      roots.append(directory)
    } else {
      let tops = Set(archive.entries.compactMap { $0.path.split(separator: "/").first })
      roots += tops.filter { $0 != "." }.sorted().map { directory + "/" + $0 }
    }
    folders.insert(directory)
    for entry in archive.entries {
      let path = directory + "/" + entry.path
      if entry.kind == .directory { folders.insert(path) }
      if let slash = path.lastIndex(of: "/") { folders.insert(String(path[..<slash])) }
    }
  }

  /// Leaves out files that are in their places already.
  mutating func leaveOut(_ kept: Set<String>) {
    for index in parts.indices {
      let part = parts[index]
      parts[index].archive.entries.removeAll {
        $0.kind == .file && kept.contains(part.path($0))
      }
    }
    expected.removeAll { kept.contains($0.path) }
  }
}
