import ByteStream
import Postgres

/// What one connection does in the phase of rows: takes pieces of work and makes members of them.
struct RowExporter {
  /// A piece of work.
  enum Work: Sendable {
    case rows(CopyUnit)
    case largeObjects(LargeObjectBatch)
  }

  let connection: Connection
  let maker: MemberMaker
  let plan: ExportPlan
  let progress: ProgressReporter
  let cancellation: Cancellation

  /// Works until the queue is empty.
  ///
  /// - Parameters:
  ///   - refused: takes the pieces whose table somebody waits to lock exclusively; only the
  ///     connection that holds the locks may read those without waiting behind them. nil on that
  ///     connection.
  func run(_ queue: WorkQueue<Work>, refused: WorkQueue<Work>?) throws {
    try connection.widenInputBuffer()
    while let work = queue.take() {
      try cancellation.check()
      switch work {
      case .rows(let unit):
        let source = plan.sources[unit.source]
        if let refused, try !lock(source) {
          refused.put(work)
          continue
        }
        try TableVerifier.naming(source) { try export(unit, plan.tables[unit.source]) }
        progress.update {
          $0.readBytes += unit.bytes
          if plan.isLast(unit) { $0.tablesDone += 1 }
        }
      case .largeObjects(let batch):
        try LargeObjects(connection, cancellation).export(batch, maker)
      }
    }
  }

  private func export(_ unit: CopyUnit, _ table: TableRecord) throws {
    let head = table.copyStatement.bytes
    let end = TableRecord.copyEnd.bytes
    let copy = try connection.copyOut(unit.sql)
    let text = maker.text
    while true {
      text.append(head)
      guard try copy.readRows(into: text, limit: maker.memberSize) > 0 else {
        text.reset()
        return
      }
      var sum = TableSum()
      try sum.add(rows: UnsafeRawBufferPointer(rebasing: text.bytes[head.count...]))
      text.append(end)
      try maker.finish(.data) {
        $0.table = table.number
        $0.sum = sum
      }
    }
  }

  /// Takes the lock that the exporting transaction already holds. False when somebody waits for an
  /// exclusive lock: waiting behind them would be waiting for ourselves.
  private func lock(_ source: CopySource) throws -> Bool {
    do {
      try connection.run(
        """
        SAVEPOINT pgkeep; LOCK TABLE ONLY \(source.qualifiedName) IN ACCESS SHARE MODE NOWAIT;
        RELEASE pgkeep
        """)
      return true
    } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
      try connection.run("ROLLBACK TO pgkeep; RELEASE pgkeep")
      return false
    }
  }
}
