import Glibc

/// Where the parts of a cluster go: its data directory and its tablespaces.
struct RestorePlaces: Sendable {
  let dataDirectory: String
  /// By OID.
  let tablespaces: [String: String]

  static let controlFile = "global/pg_control"
  /// The control file's name until all is done: without its own name no server starts.
  static let hiddenControlFile = "global/pg_control.pgkeep-restoring"
  static let hiddenStandbySignal = "standby.signal.pgkeep-restoring"
  /// Names that files have until all is done. A standby's own signal never gets its name back: it
  /// would make a standby of what is restored.
  static let hidden = [controlFile: hiddenControlFile, "standby.signal": hiddenStandbySignal]

  /// - Parameter mapping: new places of tablespaces, by their old ones.
  /// - Throws: ``PhysicalBackupError/Code/localPlace`` when a place cannot be one.
  init(_ base: BaseManifest, dataDirectory: String, mapping: [String: String]) throws {
    var places: [String: String] = [:]
    for tablespace in base.tablespaces {
      places[tablespace.oid] = Self.plain(mapping[tablespace.location] ?? tablespace.location)
    }
    for (from, _) in mapping where !base.tablespaces.contains(where: { $0.location == from }) {
      let known = base.tablespaces.map(\.location).joined(separator: ", ")
      throw PhysicalBackupError(
        .localPlace,
        "the backup has no tablespace at \(from)"
          + (known.isEmpty ? "; it has none" : "; it has \(known)"))
    }
    self.dataDirectory = Self.plain(dataDirectory)
    tablespaces = places
    let all = [self.dataDirectory] + places.values.sorted()
    for place in all where !place.hasPrefix("/") || place.split(separator: "/").contains("..") {
      throw PhysicalBackupError(.localPlace, "\(place) is not an absolute path")
    }
    // One folder for two would mix files that have the same names.
    for (index, one) in all.enumerated() {
      for other in all[(index + 1)...] where Self.contains(one, other) || Self.contains(other, one)
      {
        throw PhysicalBackupError(
          .localPlace,
          "\(other) and \(one) cannot both be restored to: one is the other or lies in it; give "
            + "each tablespace its own place with --tablespace-mapping")
      }
    }
  }

  private static func plain(_ path: String) -> String {
    var path = path
    while path.hasSuffix("/"), path.utf8.count > 1 { path.removeLast() }
    return path
  }

  private static func contains(_ outer: String, _ inner: String) -> Bool {
    outer == inner || inner.hasPrefix(outer + "/")
  }

  var all: [String] { [dataDirectory] + tablespaces.values.sorted() }

  /// Where an archive is unpacked to.
  func directory(_ archive: BaseIndex.Archive) throws -> String {
    guard let oid = archive.tablespace else { return dataDirectory }
    guard let place = tablespaces[oid] else {
      throw PhysicalBackupError(.damaged, "the backup has a tablespace \(oid) without a place")
    }
    return place
  }

  /// Where a file of the server's manifest lies until all is done.
  func path(_ name: String) -> String {
    if let other = Self.hidden[name] { return dataDirectory + "/" + other }
    let parts = name.split(separator: "/", maxSplits: 2)
    if parts.count == 3, parts[0] == "pg_tblspc", let place = tablespaces[String(parts[1])] {
      return place + "/" + parts[2]
    }
    return dataDirectory + "/" + name
  }

  /// Makes the places, which must be empty or not there.
  func makeEmpty(_ files: LocalFiles) throws {
    for directory in all {
      if let names = try LocalFiles.names(directory), !names.isEmpty {
        let advice =
          directory == dataDirectory
          ? "Name another place, move what is there away, or, where a cluster of the same "
            + "identifier lies there, rewrite what differs with --delta"
          : "Give the tablespace another place with --tablespace-mapping OLD=NEW"
        throw PhysicalBackupError(
          .localPlace,
          "\(directory) is not empty (it has \(names.sorted().prefix(3).joined(separator: ", "))"
            + "); nothing was changed. \(advice)")
      }
    }
    for directory in all { try make(directory, files) }
  }

  func make(_ directory: String, _ files: LocalFiles) throws {
    try files.makeDirectory(directory)
    // PostgreSQL wants its directory to be nobody else's.
    chmod(directory, 0o700)
    if let owner = files.owner, geteuid() == 0 { chown(directory, owner.user, owner.group) }
  }
}
