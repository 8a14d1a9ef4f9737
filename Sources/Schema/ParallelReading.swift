import ByteStream
import Postgres

/// Runs queries of kinds on several connections that see one snapshot.
struct ParallelReading {
  /// A piece of the reading, with its place in the order in which results are joined, so that the
  /// outcome is the same however the pieces were spread.
  struct Piece: Sendable {
    var place: Int
    var read: KindReader.Read
  }

  /// - Parameters:
  ///   - readers: the most expensive ones last: they are begun first.
  ///   - connections: each in a transaction with the same snapshot; used by nobody else meanwhile.
  static func read(
    _ readers: [KindReader.Read], on connections: [Connection], cancellation: Cancellation
  ) throws -> KindContents {
    let pieces = readers.enumerated().map { Piece(place: $0, read: $1) }
    let open = Monitor(pieces)
    let done = Monitor([(place: Int, contents: KindContents)]())
    let group = ThreadGroup(following: cancellation)
    for connection in connections {
      // Handed to its thread whole, and given back when all have ended.
      nonisolated(unsafe) let session = CatalogSession(
        connection: connection, cancellation: group.cancellation)
      group.start("catalog") {
        while let piece = open.update({ $0.popLast() }) {
          let contents = try piece.read(session)
          done.update { $0.append((piece.place, contents)) }
        }
      }
    }
    try group.join()
    var contents = KindContents()
    for result in done.update({ $0 }).sorted(by: { $0.place < $1.place }) {
      contents.merge(result.contents)
    }
    return contents
  }
}
