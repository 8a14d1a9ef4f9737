public import ByteStream
public import Postgres

/// Counts and hashes the rows of tables, to prove that they are those of a backup.
///
/// All tables are read at one moment of the database, over several connections; large tables are
/// shared between them. Blocks the calling thread.
public struct TableVerifier: Sendable {
  /// How far it has come.
  public struct Progress: Sendable {
    public var rows: Int
    /// Bytes of COPY text.
    public var bytes: Int
  }

  private let target: ConnectionTarget
  private let jobs: Int
  private let cancellation: Cancellation
  private let applicationName: String
  /// Bytes of rows to gather before they are hashed.
  private static let blockSize = 1 << 20

  /// - Parameters:
  ///   - target: the database whose tables are read.
  ///   - jobs: how many connections to read with.
  public init(
    _ target: ConnectionTarget, jobs: Int, applicationName: String = "pgkeep verify",
    cancellation: Cancellation
  ) {
    self.target = target
    self.jobs = max(1, jobs)
    self.applicationName = applicationName
    self.cancellation = cancellation
  }

  /// Reads each table and compares it with what a backup's index says.
  ///
  /// - Returns: one element for each table that differs; none when all is as it was.
  public func mismatches(
    _ tables: [TableRecord], progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) throws -> [TableMismatch] {
    let found = try sums(of: tables, progress: progress)
    return zip(tables, found).compactMap { table, found in
      if let found, found.proves(table.sum) { return nil }
      return TableMismatch(table: table, found: found)
    }
  }

  /// What each table's rows add up to now, in the order of `tables`; nil for a table that is not
  /// there.
  public func sums(
    of tables: [TableRecord], progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) throws -> [TableSum?] {
    let lead = try connect(cancellation)
    try lead.run(SnapshotTransaction.begin)
    let snapshot = try SnapshotTransaction.export(lead)
    let sources = try Self.sources(tables, lead)
    let blockSize = try Self.serverBlockSize(lead)
    let missing = Set(tables.indices.filter { sources[$0].totalBytes < 0 })
    let units = CopyUnit.cut(sources, blockSize: blockSize)
      .filter { !missing.contains($0.source) }
    let queue = WorkQueue(units)
    let results = Monitor([TableSum](repeating: TableSum(), count: tables.count))
    let total = Monitor(Progress(rows: 0, bytes: 0))

    let group = ThreadGroup(following: cancellation)
    for number in 0..<min(jobs, max(1, units.count)) {
      group.start("verify-\(number)") {
        let connection = try connect(group.cancellation)
        try SnapshotTransaction.join(connection, snapshot: snapshot)
        try connection.widenInputBuffer()
        let block = Block(capacity: Self.blockSize + 65_536)
        while let unit = queue.take() {
          var sum = TableSum()
          try Self.naming(sources[unit.source]) {
            let rows = try connection.copyOut(unit.sql)
            while try rows.readRows(into: block, limit: Self.blockSize) > 0 {
              let before = sum
              try sum.add(rows: block.bytes)
              block.reset()
              let (moreRows, moreBytes) = (sum.rows - before.rows, sum.bytes - before.bytes)
              let now = total.update { total in
                total.rows += moreRows
                total.bytes += moreBytes
                return total
              }
              progress(now)
            }
          }
          let unitSum = sum
          results.update { $0[unit.source] += unitSum }
        }
      }
    }
    try group.join()
    lead.close()
    return results.update { sums in
      sums.indices.map { missing.contains($0) ? nil : sums[$0] }
    }
  }

  private func connect(_ cancellation: Cancellation) throws -> Connection {
    try Connection(
      target, ConnectionOptions(applicationName: applicationName), cancellation: cancellation)
  }

  /// The tables with their sizes; those that are not there get a negative size.
  private static func sources(
    _ tables: [TableRecord], _ connection: Connection
  ) throws -> [CopySource] {
    var sources: [CopySource] = []
    for start in stride(from: 0, to: tables.count, by: 1000) {
      let part = tables[start..<min(start + 1000, tables.count)]
      let names = part.enumerated().map { number, table -> SQLText in
        "(\(number), \(table.qualifiedName.quotedLiteral))"
      }
      let sizes = try connection.query(
        """
        SELECT c.relam = 2, pg_catalog.pg_relation_size(c.oid), pg_catalog.pg_table_size(c.oid)
        FROM (VALUES \(names.joined(separator: ", "))) t (number, name)
        LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(t.name)
        ORDER BY t.number
        """)
      for (row, table) in part.enumerated() {
        sources.append(
          CopySource(
            schema: table.schema, name: table.name, columns: table.columns,
            condition: table.condition,
            mainBytes: sizes.bool(row, 0) ? sizes.int(row, 1) ?? 0 : 0,
            totalBytes: sizes.int(row, 2) ?? -1))
      }
    }
    return sources
  }

  static func serverBlockSize(_ connection: Connection) throws -> Int {
    try connection.query("SELECT pg_catalog.current_setting('block_size')").int(0, 0) ?? 8192
  }

  /// Says of which table an error is. That the run was stopped is no table's fault.
  static func naming<Result>(_ source: CopySource, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as PostgresError where error.code != .cancelled {
      throw LogicalBackupError(
        .server, "The rows of \(source.qualifiedName) could not be read.",
        object: "\(source.qualifiedName)", cause: error)
    }
  }
}
