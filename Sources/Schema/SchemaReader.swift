public import ByteStream
public import Postgres

/// Reads a database's schema from its catalogs, with a fixed number of queries whatever its size.
///
/// The queries run in the connection's current transaction, so that they see its snapshot. What
/// the server's own functions render (`pg_get_viewdef()` and its like) is read from the present
/// catalogs and not from the snapshot's: a caller who must be exact compares the catalogs
/// afterwards. Blocks the calling thread.
public struct SchemaReader {
  private let session: CatalogSession
  private let readers: [KindReader]

  /// - Parameter connection: a connection with the profile `SessionProfile.data`, whose empty
  ///   `search_path` makes the server write every name with its schema.
  public init(_ connection: Connection, cancellation: Cancellation) {
    self.init(connection, cancellation: cancellation, readers: KindReader.all)
  }

  /// - Parameter readers: fewer than all in tests of what is then missing.
  init(_ connection: Connection, cancellation: Cancellation, readers: [KindReader]) {
    session = CatalogSession(connection: connection, cancellation: cancellation)
    self.readers = readers
  }

  /// Reads the schema.
  ///
  /// - Parameters:
  ///   - filter: what to leave out; everything is read when it is empty.
  ///   - others: further connections in transactions with the same snapshot, to share the work.
  /// - Throws: `PostgresError`, `SchemaError`, or `Cancellation.Cancelled`.
  public func read(
    _ filter: SchemaFilter = SchemaFilter(), with others: [Connection] = []
  ) throws -> SchemaCatalog {
    let selection = filter.isEmpty ? nil : try SchemaSelection(filter, session)
    // The count and the needs come with the kinds, so that their queries are shared out too.
    let readers =
      [
        KindReader("comments", Comments.read), KindReader("dependencies", Dependency.read),
        KindReader("inventory", Inventory.read),
      ] + self.readers
    var contents = KindContents()
    if others.isEmpty {
      for reader in readers {
        for piece in reader.pieces([.all]) { contents.merge(try piece(session)) }
      }
    } else {
      let slices = try RelationSlice.read(session, count: others.count + 1)
      contents = try ParallelReading.read(
        readers.flatMap { $0.pieces(slices) }, on: [session.connection] + others,
        cancellation: session.cancellation)
    }
    try addObjects(to: &contents)
    let missing = try Inventory(session).missing(in: contents, selection)
    selection?.apply(to: &contents)
    contents.unsupported += missing
    return SchemaCatalog(
      serverVersion: session.connection.serverVersion,
      database: try DatabaseFacts.read(session), contents: contents,
    )
  }

  /// Makes objects of what the queries about relations told.
  private func addObjects(to contents: inout KindContents) throws {
    let facts = KindContents(
      relations: contents.relations, indexes: contents.indexes, constraints: contents.constraints)
    let others = Monitor([SchemaObject]())
    let group = ThreadGroup(following: session.cancellation)
    group.start("indexes") {
      let objects = Constraints.objects(facts) + Indexes.objects(facts)
      others.update { $0 = objects }
    }
    Relations.addObjects(to: &contents)
    try group.join()
    contents.objects += others.update { $0 }
  }

  /// Reads the values of sequences, a thousand in a query.
  ///
  /// - Parameter sequences: as the catalog lists them; unlogged ones are left as they are on a
  ///   standby, where they cannot be read.
  public func readSequenceValues(of sequences: [SequenceData]) throws -> [SequenceData] {
    let isStandby = try session.connection.query("SELECT pg_catalog.pg_is_in_recovery()").bool(0, 0)
    var valued = sequences
    let readable = sequences.indices.filter { !(isStandby && sequences[$0].isUnlogged) }
    var start = 0
    while start < readable.count {
      let batch = readable[start..<min(start + 1000, readable.count)]
      let selects = batch.map { index -> SQLText in
        "SELECT \(index) AS i, last_value, is_called FROM \(sequences[index].qualifiedName)"
      }
      try session.forEach(selects.joined(separator: "\nUNION ALL ")) { row in
        let index = row.int()
        valued[index].lastValue = row.optionalInt()
        valued[index].isCalled = row.flag()
      }
      start += 1000
    }
    return valued
  }
}
