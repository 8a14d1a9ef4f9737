import Postgres
import Repository

/// The receiving side of one base backup: hands archives to the pipeline, notes what is in them,
/// and keeps the server's manifest.
final class BaseReception {
  struct Archive {
    var name: String
    /// The tablespace's OID.
    var tablespace: String?
    var entries: [TarEntry] = []
  }

  private(set) var archives: [Archive] = []
  private(set) var serverManifest: [UInt8] = []
  private let stream: BaseBackupStream
  private let layout: ClusterLayout
  private let id: BackupID
  private var indexer: TarIndexer?
  private var isManifest = false
  private var received = 0

  init(_ stream: BaseBackupStream, layout: ClusterLayout, id: BackupID) {
    self.stream = stream
    self.layout = layout
    self.id = id
  }

  /// Bytes that so much of a data directory has at most when it is compressed, nearly always: what
  /// parts of an upload are chosen for, which grow when it is more.
  private static func compressed(_ size: Int64) -> Int { Int(size / 8 * 5) }

  func run(
    into feed: MemberPipeline.Feed, _ onProgress: (BaseBackup.Progress) -> Void
  ) throws {
    let sizes = stream.tablespaces.compactMap(\.size)
    let expected = sizes.count == stream.tablespaces.count ? Int(sizes.reduce(0, +)) : nil
    var lastProgress = ContinuousClock.now
    while try stream.read({ try take($0, feed) }) {
      guard ContinuousClock.now - lastProgress > .milliseconds(500) else { continue }
      lastProgress = .now
      onProgress(BaseBackup.Progress(received: received, expected: expected))
    }
    try endArchive(feed)
    guard !archives.isEmpty, !serverManifest.isEmpty else {
      // As a rule the server says why.
      _ = try stream.finish()
      throw PhysicalBackupError(
        .unexpectedAnswer, "the server ended its base backup before it was whole")
    }
  }

  private func take(_ message: BaseBackupMessage, _ feed: MemberPipeline.Feed) throws {
    switch message {
    case .archive(let name, let location):
      try endArchive(feed)
      let tablespace = stream.tablespaces.first { $0.location == location && $0.oid != nil }
      archives.append(Archive(name: name, tablespace: location.isEmpty ? nil : tablespace?.oid))
      indexer = TarIndexer()
      let size =
        (location.isEmpty ? stream.tablespaces.first { $0.oid == nil } : tablespace)?.size
      try feed.begin(layout.archiveKey(id, name), expectedSize: size.map(Self.compressed))
    case .manifest:
      try endArchive(feed)
      isManifest = true
    case .data(let bytes):
      if isManifest {
        serverManifest.append(contentsOf: bytes)
      } else {
        received += bytes.count
        try indexer?.take(bytes)
        try feed.write(bytes)
      }
    case .progress: break
    }
  }

  private func endArchive(_ feed: MemberPipeline.Feed) throws {
    guard let indexer, !archives.isEmpty else { return }
    try indexer.finish()
    archives[archives.count - 1].entries = indexer.entries
    self.indexer = nil
    try feed.end()
  }
}
