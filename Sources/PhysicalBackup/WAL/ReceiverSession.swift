import ByteStream
import Glibc
import Gzip
import ObjectStore
import Postgres

/// One connection of the receiver, from finding its place to the first failure.
final class ReceiverSession {
  private let receiver: WALReceiver
  private let cancellation: Cancellation
  private let onEvent: @Sendable (WALReceiver.Event) -> Void
  private var options: WALReceiver.Options { receiver.options }
  /// Whether WAL was stored, so that the next failure is a new one.
  private(set) var hasProgressed = false

  // The stores of a session have their own cancellation: when we are told to stop, the last piece
  // is still stored.
  private let storing = Cancellation()
  private var lastStatus = ContinuousClock.now
  private var lastTail = ContinuousClock.now
  private var reported = LSN.zero
  private var lastReport = ContinuousClock.now

  init(
    _ receiver: WALReceiver, cancellation: Cancellation,
    onEvent: @escaping @Sendable (WALReceiver.Event) -> Void
  ) {
    self.receiver = receiver
    self.cancellation = cancellation
    self.onEvent = onEvent
  }

  func run() throws {
    let connection = try ReplicationConnection(
      receiver.target, applicationName: "pgkeep wal", cancellation: cancellation)
    defer { connection.close() }
    guard connection.majorVersion >= 15 else {
      throw PhysicalBackupError(
        .wrongServer,
        "\(receiver.target) runs PostgreSQL \(connection.majorVersion); the WAL "
          + "archive needs 15 or later")
    }
    let system = try connection.identifySystem()
    let layout = ClusterLayout(
      environment: receiver.environment, systemIdentifier: system.identifier)
    let archive = try WALArchive.establish(
      receiver.store, layout, segmentSize: connection.walSegmentSize(),
      major: connection.majorVersion)
    let slot = try prepareSlot(connection)
    let place = try ReceiverPlace.find(
      archive, connection, system: system, slot: slot, acceptsGap: options.acceptsGap,
      readsPieces: options.recipients.isEmpty, cancellation: cancellation)
    for warning in place.warnings { onEvent(.warning(warning)) }

    let watch = SlotWatch(receiver.target, slot: options.slot, onEvent: onEvent)
    watch.start(following: cancellation)
    defer { watch.stop() }

    let uploader = WALUploader(
      archive, confirmed: place.position,
      blockCapacity: min(archive.segmentSize, SegmentAssembly.largestChunk),
      cancellation: storing)
    defer { uploader.stop() }
    try stream(connection, archive, uploader, place)
  }

  private func prepareSlot(_ connection: ReplicationConnection) throws -> ReplicationConnection.Slot
  {
    if let slot = try connection.readSlot(options.slot) {
      // A slot without a position has lost its WAL, or never had any.
      guard slot.restartPosition == nil, options.acceptsGap else { return slot }
      try connection.dropSlot(options.slot)
    }
    do { try connection.createSlot(options.slot) } catch let error as PostgresError {
      guard error.sqlState != .duplicateObject else { return try prepareSlot(connection) }
      throw error
    }
    guard let slot = try connection.readSlot(options.slot) else {
      throw PhysicalBackupError(
        .unexpectedAnswer, "the slot \(options.slot) was made and is not there")
    }
    return slot
  }

  // MARK: Streaming

  private func stream(
    _ connection: ReplicationConnection, _ archive: WALArchive, _ uploader: WALUploader,
    _ place: ReceiverPlace
  ) throws {
    let compressor = try MemberCompressor(.fast)
    func assembly(_ segment: WALSegment) -> SegmentAssembly {
      SegmentAssembly(
        segment, layout: archive.layout, uploader: uploader, compressor: compressor,
        hidesText: !options.recipients.isEmpty)
    }
    var current = assembly(
      WALSegment(
        timeline: place.timeline, holding: place.position, size: archive.segmentSize))
    try place.refill(current, archive, uploader, cancellation)
    for (key, bytes) in place.histories { uploader.add(.object(key: key, bytes)) }
    var from = place.position
    while true {
      let timeline = current.segment.timeline
      let stream: WALStream
      do {
        stream = try connection.startReplication(
          slot: options.slot, from: from, timeline: timeline)
      } catch let error as PostgresError { throw gapError(error, from) }
      onEvent(.streaming(timeline: timeline, from: from, slot: options.slot))
      do {
        try receive(stream, &current, uploader, assembly)
      } catch {
        // What has arrived may be all that is left of it: it is stored, whatever happened.
        if !(error is ObjectStoreError) { try finishTail(current, uploader) }
        guard cancellation.isCancelled else { throw error }
        return
      }
      let next: WALStream.NextTimeline?
      do { next = try stream.finish() } catch let error as PostgresError {
        throw gapError(error, from)
      }
      // What has arrived of the old timeline is durable before anything of the new one.
      try current.storePiece()
      try current.storePoints(evenIfQuiet: true)
      try drain(uploader)
      guard let next else {
        throw PostgresError(.connectionLost, "The server shut down.")
      }
      onEvent(.timeline(next.timeline, from: next.start))
      let history = try connection.timelineHistory(next.timeline)
      uploader.add(
        .object(key: archive.layout.historyKey(timeline: next.timeline), history))
      current = assembly(
        WALSegment(timeline: next.timeline, holding: next.start, size: archive.segmentSize))
      from = current.segment.start
    }
  }

  /// Reads until the server has no more of this timeline.
  private func receive(
    _ stream: WALStream, _ current: inout SegmentAssembly, _ uploader: WALUploader,
    _ assembly: (WALSegment) -> SegmentAssembly
  ) throws {
    while true {
      try uploader.check()
      var wantsReply = false
      // While something is on its way to the store, the server soon hears that it is there.
      let wait: Duration = .milliseconds(uploader.isIdle ? 200 : 20)
      let event = try stream.read(timeout: min(wait, options.tailInterval)) { message in
        switch message {
        case .keepalive(let end, let time, let reply):
          wantsReply = reply
          // Nothing is under way: everything before our position had happened at that time.
          if end <= current.position { current.note(time) }
        case .data(let start, let end, let time, let bytes):
          try take(start, bytes, &current, stream, uploader, assembly)
          if current.position >= end { current.note(time) }
        }
      }
      if case .endOfTimeline = event { return }
      if ContinuousClock.now - lastTail >= options.tailInterval {
        lastTail = .now
        try current.storePiece()
        try current.storePoints()
      }
      try report(stream, current, uploader, now: wantsReply)
    }
  }

  private func take(
    _ start: LSN, _ bytes: UnsafeRawBufferPointer, _ current: inout SegmentAssembly,
    _ stream: WALStream, _ uploader: WALUploader,
    _ assembly: (WALSegment) -> SegmentAssembly
  ) throws {
    guard start == current.position else {
      throw PhysicalBackupError(
        .unexpectedAnswer, "the server sent WAL from \(start) where \(current.position) was next")
    }
    var rest = bytes
    while !rest.isEmpty {
      // All blocks are on their way to the store: the server hears of us meanwhile.
      while !current.hasRoom() {
        try uploader.check()
        try cancellation.check()
        try report(stream, current, uploader, now: false)
        Pause.milliseconds(20)
      }
      let count = try current.take(rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      if current.isComplete {
        try current.storePoints(evenIfQuiet: true)
        current = assembly(current.segment.next)
      }
    }
  }

  /// Tells the server where we are: when more is durable, when it asks, and in time.
  private func report(
    _ stream: WALStream, _ current: SegmentAssembly, _ uploader: WALUploader, now: Bool
  ) throws {
    let confirmed = uploader.confirmed
    let isNews = confirmed > reported
    let isDue = ContinuousClock.now - lastStatus >= options.statusInterval
    guard now || isNews || isDue else { return }
    // The server's answer brings its clock, which a quiet server would not send.
    try stream.send(
      StandbyStatus(
        written: max(current.position, confirmed), flushed: confirmed, time: Self.clock(),
        wantsReply: isDue))
    lastStatus = .now
    if isDue { onEvent(.alive) }
    if isNews {
      if reported > .zero { hasProgressed = true }
      reported = confirmed
      let stored = uploader.stored
      onEvent(.confirmed(confirmed, segments: stored.segments, stored: stored.bytes))
    }
  }

  /// Waits until everything is durable.
  private func drain(_ uploader: WALUploader) throws {
    while !uploader.isIdle {
      try uploader.check()
      try cancellation.check()
      Pause.milliseconds(10)
    }
    try uploader.check()
  }

  /// We were told to stop: stores what has arrived, as far as the store is quick enough.
  private func finishTail(_ current: SegmentAssembly, _ uploader: WALUploader) throws {
    try current.storePiece()
    try current.storePoints(evenIfQuiet: true)
    let giveUp = ContinuousClock.now + options.stopGrace
    while !uploader.isIdle, ContinuousClock.now < giveUp {
      try uploader.check()
      Pause.milliseconds(10)
    }
    let stored = uploader.stored
    onEvent(.confirmed(uploader.confirmed, segments: stored.segments, stored: stored.bytes))
  }

  private func gapError(_ error: PostgresError, _ from: LSN) -> any Error {
    // A slot that lost its WAL is "not in the prerequisite state".
    guard error.sqlState == .undefinedFile || error.sqlState == "55000" else { return error }
    return PhysicalBackupError(
      .gap,
      "the server has removed the WAL from \(from) on, which the archive still needs; the "
        + "slot \(options.slot) did not hold it. Take a new base backup, and let the receiver go "
        + "on with --accept-gap; moments in between cannot be restored", cause: error)
  }

  private static func clock() -> ServerTime {
    // Not by timespec's members: which C module they belong to differs from build to build.
    ServerTime(unixMicroseconds: UTCTime.now().milliseconds * 1000)
  }
}
