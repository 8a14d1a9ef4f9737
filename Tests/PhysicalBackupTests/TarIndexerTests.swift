import TestSupport
import Testing

@testable import PhysicalBackup

@Suite struct TarIndexerTests {
  /// A real archive, made by tar, with names, modes, links and sizes of every kind.
  private func archive(_ directory: TestDirectory) throws -> [UInt8] {
    try directory.write([], to: "t/empty")
    try directory.write([UInt8](repeating: 7, count: 512), to: "t/block")
    try directory.write([UInt8](repeating: 8, count: 100_001), to: "t/sub/odd")
    try Command.check("ln", ["-s", "/srv/space", directory.file("t/link")])
    return try Command.check(
      "tar", ["--format=ustar", "-C", directory.file("t"), "-cf", "-", "."]
    ).output
  }

  @Test(arguments: [1, 7, 512, 513, 4096, 1 << 20])
  func entriesAreFoundInPiecesOfAnySize(piece: Int) throws {
    let directory = try TestDirectory()
    let tar = try archive(directory)
    var indexer = TarIndexer()
    try tar.withUnsafeBytes { raw in
      var rest = UnsafeRawBufferPointer(rebasing: raw[...])
      while !rest.isEmpty {
        let count = min(piece, rest.count)
        try indexer.take(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
    try indexer.finish()
    #expect(indexer.position == tar.count)
    let byPath = Dictionary(uniqueKeysWithValues: indexer.entries.map { ($0.path, $0) })
    #expect(byPath["link"]?.target == "/srv/space")
    #expect(byPath["sub"]?.kind == .directory)
    #expect(byPath["empty"]?.size == 0)
    for (path, byte, size) in [("block", 7, 512), ("sub/odd", 8, 100_001)] {
      let entry = try #require(byPath[path])
      #expect(entry.size == size)
      #expect(tar[entry.offset..<entry.offset + size].allSatisfy { $0 == UInt8(byte) })
    }
  }

  @Test func aFlippedHeaderAndACutArchiveAreRefused() throws {
    let tar = try archive(TestDirectory())
    var flipped = tar
    flipped[3] ^= 1
    #expect(throws: PhysicalBackupError.self) {
      var indexer = TarIndexer()
      try flipped.withUnsafeBytes { try indexer.take($0) }
    }
    #expect(throws: PhysicalBackupError.self) {
      var indexer = TarIndexer()
      try tar.withUnsafeBytes {
        try indexer.take(UnsafeRawBufferPointer(rebasing: $0[..<100_000]))
      }
      try indexer.finish()
    }
  }
}
