import Postgres
import Testing

@testable import LogicalBackup

@Suite struct CopyUnitTests {
  private func source(_ main: Int, _ total: Int, condition: SQLText? = nil) -> CopySource {
    CopySource(
      schema: "s", name: "T", columns: ["a", "B c"], condition: condition, mainBytes: main,
      totalBytes: total)
  }

  @Test("Small tables, and those that are no heap or have a condition, are read whole")
  func whole() {
    #expect(
      CopyUnit.cut([source(8192, 8192)], blockSize: 8192).map(\.sql)
        == ["COPY s.\"T\" (a, \"B c\") TO STDOUT"])
    #expect(CopyUnit.cut([source(0, 1 << 40)], blockSize: 8192).count == 1)
    #expect(
      CopyUnit.cut([source(1 << 40, 1 << 40, condition: "WHERE a > 1")], blockSize: 8192)
        .map(\.sql) == ["COPY (SELECT a, \"B c\" FROM ONLY s.\"T\" WHERE a > 1) TO STDOUT"])
    #expect(
      CopyUnit.cut([source(8192, 8192, condition: "")], blockSize: 8192).map(\.sql)
        == ["COPY s.\"T\" (a, \"B c\") TO STDOUT"])
  }

  @Test("Ranges follow one another without a gap, from page 0 to beyond the end")
  func ranges() throws {
    for (pages, total) in [(100_000, 100_000 * 8192), (3, 1 << 30), (12_345, 12_345 * 8192 * 7)] {
      let units = CopyUnit.cut([source(pages * 8192, total)], blockSize: 8192)
      #expect(units.count > 1 && units.count <= pages)
      var next = 0
      for (number, unit) in units.enumerated() {
        let words = unit.sql.string.split { "'(),".contains($0) }
        let numbers = words.compactMap { Int($0) }.filter { $0 > 0 || number == 0 }
        #expect(unit.sql.string.contains("ctid >= '(\(next),0)'"))
        guard number < units.count - 1 else {
          #expect(!unit.sql.string.contains("ctid <"))
          continue
        }
        next = try #require(numbers.max())
        #expect(unit.sql.string.contains("ctid < '(\(next),0)'"))
      }
      #expect(next < pages)
    }
  }

  @Test("A table without a page takes no statement, whatever else is read")
  func empty() {
    var nothing = source(0, 0)
    nothing.isEmpty = true
    let units = CopyUnit.cut([nothing, source(8192, 8192), nothing], blockSize: 8192)
    #expect(units.map(\.source) == [1])
  }

  @Test("The largest pieces come first")
  func order() {
    let units = CopyUnit.cut(
      [source(8192, 8192), source(1 << 30, 1 << 30), source(16_384, 16_384)], blockSize: 8192)
    #expect(units.map(\.source).suffix(2) == [2, 0])
    #expect(units.map(\.bytes) == units.map(\.bytes).sorted(by: >))
  }
}
