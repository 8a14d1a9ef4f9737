import ByteStream
import Gzip

/// Puts members one after another into the file, in whatever order they come, and notes where.
/// Then it writes the index and the end. One thread runs it.
final class Sequencer {
  private let pipeline: MemberPipeline
  private let sink: any ByteSink
  private let index: IndexWriter
  private let tables: [TableRecord]
  private let progress: ProgressReporter
  private var offset = 0

  /// - Parameter tables: all tables, whose sums are still to come.
  init(
    _ pipeline: MemberPipeline, sink: any ByteSink, facts: BackupFacts, tables: [TableRecord],
    progress: ProgressReporter
  ) {
    self.pipeline = pipeline
    self.sink = sink
    self.tables = tables
    self.progress = progress
    index = IndexWriter(facts)
  }

  /// Writes all members until the channel is finished, then the index and the end member.
  ///
  /// - Returns: the result; the sink is not finished yet.
  func run(_ facts: BackupFacts) throws -> ExportResult {
    while let member = try pipeline.channel.receive() { try write(member) }
    let indexOffset = offset
    let tables = tables.map { table in
      var table = table
      table.sum = index.sums[table.number] ?? TableSum()
      return table
    }
    let compressor = try MemberCompressor(pipeline.compression)
    let block = Block(capacity: 1 << 20)
    try index.finish(tables: tables, pieceSize: pipeline.memberSize) { piece in
      block.reset()
      try compressor.compress(piece, into: block)
      try put(block.bytes)
    }
    try EndMember.bytes(indexOffset: indexOffset).withUnsafeBytes { try put($0) }
    return ExportResult(
      facts: facts, tables: tables, totals: index.totals, size: offset, indexOffset: indexOffset)
  }

  private func write(_ member: FinishedMember) throws {
    let start = offset
    let record = MemberRecord(
      kind: member.kind, offset: start, length: member.compressed.count,
      textLength: member.textLength, table: member.table, rows: member.sum.rows,
      hash: member.sum.hash)
    try put(member.compressed.bytes)
    pipeline.pool.giveBack(member.compressed)
    try index.add(record, sum: member.sum)
    for item in member.items {
      var item = item
      item.member = start
      index.add(item)
    }
    index.count(sequences: member.sequences)
    index.count(largeObjects: member.largeObjects)
    progress.update {
      $0.textBytes += member.textLength
      $0.rows += member.sum.rows
      $0.writtenBytes = offset
    }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws {
    try sink.write(bytes)
    offset += bytes.count
  }
}
