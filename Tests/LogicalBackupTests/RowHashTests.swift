import LogicalBackup
import TestSupport
import Testing

@Suite struct RowHashTests {
  /// docs/repository-format.md in its plainest form.
  private static func reference(_ row: [UInt8]) -> UInt64 {
    func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
      let product = a.multipliedFullWidth(by: b)
      return product.high ^ product.low
    }
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
      bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var state: UInt64 = 0x243F_6A88_85A3_08D3
    var rest = row[...]
    while rest.count > 16 {
      state = mix(
        word(rest.prefix(8)) ^ 0x1319_8A0A_0370_7345, word(rest.dropFirst(8).prefix(8)) ^ state)
      rest = rest.dropFirst(16)
    }
    let padded = Array(rest) + [UInt8](repeating: 0, count: 16 - rest.count)
    state = mix(word(padded[..<8]) ^ 0xA409_3822_0A9F_31D1, word(padded[8...]) ^ state)
    return mix(state ^ UInt64(row.count), 0x082E_FA98_EC4E_6C89)
  }

  @Test("Every length and alignment has the hash that the format's document specifies")
  func specification() {
    var random = SeededGenerator(seed: 3)
    let bytes = random.bytes(300)
    for start in 0..<9 {
      for length in 0..<200 {
        let row = Array(bytes[start..<start + length])
        let hash = bytes.withUnsafeBytes {
          RowHash.hash(UnsafeRawBufferPointer(rebasing: $0[start..<start + length]))
        }
        #expect(hash == Self.reference(row))
      }
    }
  }

  @Test("The values never change from version to version")
  func constants() {
    func hash(_ text: String) -> UInt64 { Array(text.utf8).withUnsafeBytes { RowHash.hash($0) } }
    #expect(hash("") == 0x19E4_8129_26F6_9A39)
    #expect(hash("1") == 0xD416_5542_239A_280E)
    #expect(hash("1\tname\t\\N\t2026-11-22 02:00:00+00") == 0xADEC_911B_F27D_68BD)
  }

  @Test("A sum notices rows that are lost, doubled, changed or joined, and not their order")
  func sums() throws {
    func sum(_ text: String) throws -> TableSum {
      var sum = TableSum()
      try Array(text.utf8).withUnsafeBytes { try sum.add(rows: $0) }
      return sum
    }
    let whole = try sum("a\nb\nccccccccccccccccccccc\n\n")
    #expect(whole.rows == 4 && whole.bytes == 27)
    #expect(try sum("\nccccccccccccccccccccc\nb\na\n") == whole)
    for other in [
      "a\nb\nccccccccccccccccccccc\n", "a\na\nccccccccccccccccccccc\n\n",
      "a\nb\ncccccccccccccccccccc\n\n", "b\nb\nccccccccccccccccccccc\n\n", "", "\n\n\n\n",
    ] {
      #expect(try !sum(other).proves(whole))
    }
    var parts = try sum("a\nccccccccccccccccccccc\n")
    parts += try sum("\nb\n")
    #expect(parts == whole)
    #expect(throws: LogicalBackupError.self) { try sum("a\nb") }
  }

  @Test("Similar rows have different hashes")
  func collisions() {
    var seen: Set<UInt64> = []
    var count = 0
    for number in 0..<200_000 {
      for row in ["\(number)", "\(number)\t\\N", "\t\(number)"] {
        seen.insert(Array(row.utf8).withUnsafeBytes { RowHash.hash($0) })
        count += 1
      }
    }
    for length in 0..<64 {
      seen.insert([UInt8](repeating: 0x20, count: length).withUnsafeBytes { RowHash.hash($0) })
      count += 1
    }
    #expect(seen.count == count)
  }
}
