import ByteStream
import Glibc
import Postgres
import TestSupport
import Testing

@Suite struct ReplicationConnectionTests {
  private static let majors = TemporaryCluster.installedMajors.filter { $0 != 16 }

  private func connect(_ cluster: TemporaryCluster) throws -> ReplicationConnection {
    try ReplicationConnection(
      ConnectionTarget(cluster.url()), applicationName: "pgkeep test", cancellation: Cancellation())
  }

  @Test(arguments: majors)
  func systemAndSlotsAreRead(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let connection = try connect(cluster)
    let system = try connection.identifySystem()
    #expect(
      try cluster.psql("SELECT system_identifier FROM pg_control_system()") == system.identifier)
    #expect(system.timeline == 1)
    #expect(system.flushed > LSN.zero)
    #expect(try connection.walSegmentSize() == WALSegment.defaultSize)
    let slot = "slot_\(UInt32.random(in: 0...UInt32.max))"
    #expect(try connection.readSlot(slot) == nil)
    try connection.createSlot(slot)
    let made = try #require(try connection.readSlot(slot))
    #expect(made.restartTimeline == 1)
    #expect(made.restartPosition != nil)
    let again = #expect(throws: PostgresError.self) { try connection.createSlot(slot) }
    #expect(again?.sqlState == .duplicateObject)
    try connection.dropSlot(slot)
    #expect(try connection.readSlot(slot) == nil)
  }

  @Test(arguments: majors)
  func walIsStreamed(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let connection = try connect(cluster)
    let start = try connection.identifySystem().flushed
    let stream = try connection.startReplication(slot: nil, from: start, timeline: 1)
    try cluster.psql("SELECT pg_logical_emit_message(false, 'pgkeep', repeat('x', 100000))")
    try cluster.psql("CHECKPOINT")
    var position = start
    var hasSeenMessage = false
    let deadline = ContinuousClock.now + .seconds(20)
    while !hasSeenMessage, ContinuousClock.now < deadline {
      _ = try stream.read(timeout: .milliseconds(500)) { message in
        switch message {
        case .data(let from, _, _, let bytes):
          #expect(from == position)
          position = from + bytes.count
          if position - start > 100_000 { hasSeenMessage = true }
        case .keepalive: break
        }
      }
      try stream.send(
        StandbyStatus(written: position, flushed: position, time: ServerTime(microseconds: 0)))
    }
    #expect(hasSeenMessage)
  }

  @Test(arguments: majors)
  func aBaseBackupIsStreamed(major: Int) throws {
    let cluster = try TemporaryCluster.shared(major)
    let connection = try connect(cluster)
    let stream = try connection.startBaseBackup(BaseBackupRequest(label: "pgkeep test"))
    #expect(stream.tablespaces.last?.oid == nil)
    var archives: [String] = []
    var manifest: [UInt8] = []
    var bytes = 0
    var isManifest = false
    while try stream.read({ message in
      switch message {
      case .archive(let name, _): archives.append(name)
      case .manifest: isManifest = true
      case .data(let data):
        if isManifest { manifest.append(contentsOf: data) } else { bytes += data.count }
      case .progress: break
      }
    }) {}
    let end = try stream.finish()
    #expect(archives == ["base.tar"])
    #expect(bytes > 10_000_000 && bytes % 512 == 0)
    #expect(String(decoding: manifest, as: UTF8.self).contains("Manifest-Checksum"))
    #expect(end.position > stream.start.position)
    // The session goes on to be of use.
    #expect(try connection.identifySystem().flushed >= end.position)
  }

  @Test func walThatWasRemovedIsAnErrorWithItsState() throws {
    let connection = try connect(TemporaryCluster.shared())
    let error = #expect(throws: PostgresError.self) {
      let stream = try connection.startReplication(
        slot: nil, from: LSN(rawValue: 0x10000), timeline: 1)
      while try stream.read(timeout: .seconds(5), { _ in }) != .endOfTimeline {}
      _ = try stream.finish()
    }
    #expect(error?.sqlState == .undefinedFile)
  }

  @Test func cancellingEndsTheWait() throws {
    let cancellation = Cancellation()
    // Its own: elsewhere other tests' checkpoints could remove the WAL that is read.
    let cluster = try TemporaryCluster(15)
    let connection = try ReplicationConnection(
      ConnectionTarget(cluster.url()), applicationName: "pgkeep test", cancellation: cancellation)
    let stream = try connection.startReplication(
      slot: nil, from: connection.identifySystem().flushed, timeline: 1)
    JobThread.start("cancel") {
      usleep(300_000)
      cancellation.cancel(reason: "the test says so")
    }
    let error = #expect(throws: PostgresError.self) {
      while true { _ = try stream.read(timeout: .seconds(30)) { _ in } }
    }
    #expect(error?.code == .cancelled)
  }
}
