import ByteStream
import Foundation
import ObjectStore
import Postgres
import TestSupport
import Testing

@testable import PhysicalBackup

/// One object of a backup that is missing, cut or flipped: an error that says so, before a server
/// is ever started.
@Suite(.serialized) struct DamageTests {
  private struct Archive {
    let directory: TestDirectory
    let store: DirectoryStore
    let layout: ClusterLayout
  }

  /// A base backup with several segments of WAL behind it.
  private func archive() throws -> Archive {
    var random = SeededGenerator(seed: 4)
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    let cluster = try TemporaryCluster(15)
    let slot = "damage_\(UInt32.random(in: 0...UInt32.max))"
    let receiver = try TestReceiver(cluster, store, slot: slot)
    try receiver.start()
    let ledger = try Ledger(cluster)
    var options = BaseBackup.Options()
    options.includesWAL = false
    let base = try BaseBackup(
      ConnectionTarget(cluster.url()), to: store, environment: "test", options: options
    ).run(cancellation: Cancellation())
    for _ in 0..<3 {
      try ledger.write(3, seed: &random)
      try cluster.psql("SELECT pg_switch_wal()")
    }
    try ledger.write(2, seed: &random)
    try receiver.waitUntilConfirmed(cluster.walFlushed())
    try receiver.stop()
    usleep(200_000)
    try cluster.psql("SELECT pg_drop_replication_slot('\(slot)')")
    return Archive(
      directory: directory, store: store,
      layout: ClusterLayout(
        environment: "test", systemIdentifier: base.server.systemIdentifier))
  }

  private func restore(_ archive: Archive, _ target: RecoveryTarget) throws {
    let place = try TestDirectory()
    let catalog = try PhysicalCatalog(archive.store, environment: "test")
    let plan = try RecoveryPlanner(catalog).plan(target)
    var options = ClusterRestore.Options(
      dataDirectory: place.file("data"), restoreCommand: "false")
    options.syncs = false
    do {
      _ = try ClusterRestore(catalog, options: options).run(plan, cancellation: Cancellation())
    } catch {
      // Nothing that a server would start on.
      #expect(!FileManager.default.fileExists(atPath: place.file("data/global/pg_control")))
      throw error
    }
    #expect(FileManager.default.fileExists(atPath: place.file("data/global/pg_control")))
  }

  private enum Damage: CaseIterable { case missing, cut, flipped }

  private func apply(_ damage: Damage, _ file: String) throws {
    let handle = try #require(FileHandle(forUpdatingAtPath: file))
    let size = try handle.seekToEnd()
    switch damage {
    case .missing: try FileManager.default.removeItem(atPath: file)
    case .cut: try handle.truncate(atOffset: size / 2)
    case .flipped:
      try handle.seek(toOffset: size / 2)
      let byte = try #require(try handle.read(upToCount: 1)?.first)
      try handle.seek(toOffset: size / 2)
      try handle.write(contentsOf: [byte ^ 0x10])
    }
    try handle.close()
  }

  @Test func aDamagedSegmentIsSaidWithTheLastMomentBeforeIt() throws {
    let archive = try archive()
    try restore(archive, .latest)
    let catalog = try PhysicalCatalog(archive.store, environment: "test")
    let plan = try RecoveryPlanner(catalog).plan(.latest)
    let wal = try #require(catalog.wal)
    // One in the middle: before it is the base, behind it is more.
    let segment = try #require(
      plan.segments.last { wal.isWhole($0) && $0.start > plan.base.endPosition })
    let file = archive.directory.file(archive.layout.segmentKey(segment))
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    for damage in Damage.allCases {
      try apply(damage, file)
      let error: PhysicalBackupError?
      if damage == .missing {
        // The listing shows the gap: what is behind it is not covered.
        let left = try PhysicalCatalog(archive.store, environment: "test")
        #expect(left.coverage().map(\.end) == [segment.start])
        error = #expect(throws: PhysicalBackupError.self) {
          try restore(archive, .position(segment.end))
        }
        #expect(error?.code == .outOfRange)
      } else {
        error = #expect(throws: PhysicalBackupError.self) { try restore(archive, .latest) }
        #expect(error?.code == .damaged)
      }
      #expect(error?.message.contains("\(segment.start)") ?? false, "\(damage): \(error as Any)")
      // On request, recovery ends there.
      try restore(archive, .position(segment.start))
      try whole.write(to: URL(fileURLWithPath: file))
    }
    try restore(archive, .latest)
  }

  @Test func aDamagedBaseBackupIsNeverWhole() throws {
    let archive = try archive()
    let catalog = try PhysicalCatalog(archive.store, environment: "test")
    let base = try #require(catalog.bases.first)
    for object in base.archives + [base.index, base.serverManifest, base.settings] {
      let file = archive.directory.file(object.key)
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      for damage in Damage.allCases {
        try apply(damage, file)
        #expect(throws: (any Error).self, "\(object.key) \(damage)") {
          try restore(archive, .latest)
        }
        try whole.write(to: URL(fileURLWithPath: file))
      }
    }
    // Without its manifest there is no backup, and a manifest of a newer form is passed over.
    let key = archive.layout.manifestKey(base.id)
    var text = String(decoding: try archive.store.readAll(key, limit: 1 << 20), as: UTF8.self)
    text = text.replacingOccurrences(of: "\"format\" : 1", with: "\"format\" : 99")
    try archive.store.put(key, Array(text.utf8))
    let error = #expect(throws: PhysicalBackupError.self) { try restore(archive, .latest) }
    #expect(error?.code == .nothingToRestore)
    #expect(error?.message.contains("newer pgkeep") ?? false)
    try archive.store.delete(key)
    #expect(throws: PhysicalBackupError.self) { try restore(archive, .latest) }
  }

  @Test func theAuditFindsEachDamage() throws {
    let archive = try archive()
    func audit() throws -> PhysicalAudit.Report {
      try PhysicalAudit(PhysicalCatalog(archive.store, environment: "test", points: .ends)).run(
        cancellation: Cancellation())
    }
    let sound = try audit()
    #expect(sound.passed, "\(sound.findings)")
    #expect(sound.bases == 1 && sound.segments >= 4 && sound.bytes > 1 << 20)
    // The ends alone say the same as all points.
    let all = try PhysicalCatalog(archive.store, environment: "test")
    #expect(sound.ranges == all.coverage())
    let base = try #require(all.bases.first)
    let wal = try #require(all.wal)
    let segments = (wal.segments[1] ?? []).map {
      WALSegment(timeline: 1, number: $0, size: wal.segmentSize)
    }
    let inBase = try #require(segments.last { $0.start <= base.startPosition })
    let middle = try #require(segments.last { $0.start > base.endPosition })
    let piece = try #require(wal.pieces.values.flatMap { $0 }.last)
    for (key, name) in [
      (base.archives[0].key, "\(base.id)"), (base.index.key, "\(base.id)"),
      (archive.layout.segmentKey(inBase), inBase.name),
      (archive.layout.segmentKey(middle), middle.name),
      (archive.layout.pieceKey(piece), piece.segment.name),
    ] {
      let file = archive.directory.file(key)
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      for damage in Damage.allCases {
        // That the log ends earlier is nothing that an archive could know of itself.
        if damage == .missing, key == archive.layout.pieceKey(piece) { continue }
        try apply(damage, file)
        let report = try audit()
        #expect(!report.passed, "\(key) \(damage)")
        if damage != .missing {
          #expect(report.findings.contains { $0.contains(name) }, "\(report.findings)")
        } else if key == archive.layout.segmentKey(middle) {
          #expect(report.gaps == [WALGap(timeline: 1, start: middle.start, end: middle.end)])
          #expect(report.findings == report.gaps.map { "\($0)" })
        }
        try whole.write(to: URL(fileURLWithPath: file))
      }
    }
    // A segment under another one's name.
    let other = archive.directory.file(archive.layout.segmentKey(inBase))
    try FileManager.default.removeItem(atPath: other)
    try FileManager.default.copyItem(
      atPath: archive.directory.file(archive.layout.segmentKey(middle)), toPath: other)
    #expect(try audit().findings.contains { $0.contains("something else") })
  }

  @Test func aPlaceThatIsNotEmptyIsLeftAlone() throws {
    let archive = try archive()
    let place = try TestDirectory()
    try place.write("precious", to: "data/file")
    let catalog = try PhysicalCatalog(archive.store, environment: "test")
    let options = ClusterRestore.Options(
      dataDirectory: place.file("data"), restoreCommand: "false")
    let error = #expect(throws: PhysicalBackupError.self) {
      try ClusterRestore(catalog, options: options).run(
        RecoveryPlanner(catalog).plan(.latest), cancellation: Cancellation())
    }
    #expect(error?.code == .localPlace)
    #expect(try place.names(in: "data") == ["file"])
  }
}
