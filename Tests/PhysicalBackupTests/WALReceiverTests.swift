import ByteStream
import Foundation
import ObjectStore
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import PhysicalBackup

@Suite struct WALReceiverTests {
  /// The bytes that the archive has of a segment must be those of the server's own file.
  private func compare(
    _ archive: WALArchive, _ cluster: TemporaryCluster, upTo end: LSN
  ) throws -> Int {
    let listing = try archive.listing()
    var compared = 0
    for timeline in listing.timelines {
      for range in listing.ranges(timeline: timeline) {
        var segment = WALSegment(
          timeline: timeline, holding: range.start, size: archive.segmentSize)
        while segment.start < range.end {
          var stored: [UInt8] = []
          if listing.isWhole(segment) {
            try archive.readSegment(segment, cancellation: Cancellation()) { stored += Array($0) }
          } else {
            try archive.readChain(listing.chain(segment), cancellation: Cancellation()) {
              stored += Array($0)
            }
          }
          let file = cluster.dataDirectory + "/pg_wal/" + segment.name
          if let real = FileManager.default.contents(atPath: file) {
            let count = min(stored.count, Int(max(0, end - segment.start)))
            #expect(stored.prefix(count) == Array(real).prefix(count), "\(segment)")
            compared += count
          }
          segment = segment.next
        }
      }
    }
    return compared
  }

  @Test(arguments: PhysicalTesting.majors)
  func whatIsStoredIsTheServersOwnWAL(major: Int) throws {
    let cluster = try TemporaryCluster(major, PhysicalTesting.keepingWAL)
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    let receiver = try TestReceiver(cluster, store)
    try receiver.start()
    try cluster.psql(
      """
      CREATE TABLE t AS SELECT g AS id, md5(g::text) FROM generate_series(1, 1e5) g;
      SELECT pg_create_restore_point('before the release');
      SELECT pg_logical_emit_message(true, 'pgkeep', 'migration 20261122');
      SELECT pg_logical_emit_message(true, 'another program', 'not ours');
      INSERT INTO t SELECT g, 'more' FROM generate_series(1, 1e5) g;
      """)
    let end = try cluster.walFlushed()
    try receiver.waitUntilConfirmed(end)
    try receiver.stop()
    let archive = try receiver.archive()
    #expect(try compare(archive, cluster, upTo: end) > 16 << 20)
    let listing = try archive.listing()
    #expect(listing.ranges(timeline: 1).count == 1)
    // Pieces of whole segments are gone.
    #expect(listing.pieces.keys.allSatisfy { !listing.isWhole($0) })
    let named = try archive.points().flatMap(\.named)
    #expect(named.map(\.name) == ["before the release", "pgkeep"])
    #expect(named.last?.content == "migration 20261122")
  }

  @Test func itGoesOnWhereTheStoreEndsAfterEachKill() throws {
    let cluster = try TemporaryCluster(15, PhysicalTesting.keepingWAL)
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    try cluster.psql("CREATE TABLE t (id int, text text)")
    var confirmed = LSN.zero
    for round in 0..<4 {
      let receiver = try TestReceiver(cluster, store)
      try receiver.start()
      try cluster.psql(
        "INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, \(round * 20_000)) g")
      let end = try cluster.walFlushed()
      try receiver.waitUntilConfirmed(end)
      #expect(end > confirmed)
      confirmed = end
      // Odd rounds lose the server as well.
      if round % 2 == 1 {
        try cluster.crash()
        try cluster.start()
      }
      try receiver.stop()
    }
    let archive = try TestReceiver(cluster, store).archive()
    let ranges = try archive.listing().ranges(timeline: 1)
    #expect(ranges.count == 1)
    #expect(try #require(ranges.last).end >= confirmed)
    #expect(try compare(archive, cluster, upTo: confirmed) > 4 << 20)
  }

  @Test func manyPiecesBecomeOne() throws {
    let cluster = try TemporaryCluster(15, PhysicalTesting.keepingWAL)
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    let receiver = try TestReceiver(cluster, store, tail: .milliseconds(1))
    try receiver.start()
    var end = LSN.zero
    for _ in 0..<40 {
      try cluster.psql("SELECT pg_logical_emit_message(false, 'x', 'y')")
      end = try cluster.walFlushed()
      try receiver.waitUntilConfirmed(end)
    }
    try receiver.stop()
    let archive = try receiver.archive()
    let listing = try archive.listing()
    #expect(listing.pieces.values.allSatisfy { $0.count <= SegmentAssembly.mostPieces + 1 })
    #expect(try #require(listing.end(timeline: 1)) >= end)
    _ = try compare(archive, cluster, upTo: end)
  }

  @Test func removedWALIsAGapThatIsSaidAndCanBeAccepted() throws {
    let cluster = try TemporaryCluster(
      15, ClusterOptions(settings: ["max_wal_size": "32MB", "min_wal_size": "32MB"]))
    let directory = try TestDirectory()
    let store = try DirectoryStore(path: directory.path)
    let receiver = try TestReceiver(cluster, store)
    try receiver.start()
    try receiver.waitUntilConfirmed(cluster.walFlushed())
    try receiver.stop()
    try cluster.psql("SELECT pg_drop_replication_slot('pgkeep')")
    for _ in 0..<4 { try cluster.psql("SELECT pg_switch_wal(); CREATE TABLE x(); DROP TABLE x") }
    try cluster.psql("CHECKPOINT; SELECT pg_switch_wal(); CHECKPOINT")
    let again = try TestReceiver(cluster, store)
    try again.start(waits: false)
    let error = again.failure()
    #expect((error as? PhysicalBackupError)?.code == .gap, "\(again.events.suffix(5))")
    let accepting = try TestReceiver(cluster, store, acceptsGap: true)
    try accepting.start()
    try accepting.waitUntilConfirmed(cluster.walFlushed())
    try accepting.stop()
    #expect(try accepting.archive().listing().ranges(timeline: 1).count == 2)
  }
}
