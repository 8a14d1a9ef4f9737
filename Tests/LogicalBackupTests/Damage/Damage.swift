import Age
import Foundation
import LogicalBackup
import Repository
import TestSupport
import Testing

/// A kind of damage to a stored backup, in the manner of pg_verifybackup's tests.
struct Damage: CustomTestStringConvertible, Sendable {
  var name: String
  /// What the person is told, and is told of no other kind.
  var tells: String
  var apply: @Sendable (StoredBackup) throws -> Void

  var testDescription: String { name }

  init(
    _ name: String, _ tells: String, _ apply: @escaping @Sendable (StoredBackup) throws -> Void
  ) {
    self.name = name
    self.tells = tells
    self.apply = apply
  }

  /// To every backup, encrypted or not.
  static let any: [Damage] = [
    Damage("manifest missing", "there is no backup") {
      try FileManager.default.removeItem(atPath: $0.directory.file($0.names.manifestKey))
    },
    Damage("object missing", "is missing") {
      try FileManager.default.removeItem(atPath: $0.directory.file($0.dataKey))
    },
    Damage("extra object", "what does not belong to it") {
      let stem = String($0.names.manifestKey.dropLast(".json".count))
      try $0.directory.write([1, 2, 3], to: stem + ".sql.gz.old")
    },
    Damage("object truncated", "is cut short: ") { try $0.edit { $0.removeLast(1000) } },
    Damage("object emptied", "is cut short: 0 of") { try $0.edit { $0 = [] } },
    Damage("object appended to", "something was appended") { try $0.edit { $0 += [0, 0, 0] } },
    Damage("manifest cut", "not a manifest: ") { try $0.editManifest { $0.removeLast(40) } },
    Damage("manifest empty", "not a manifest: ") { try $0.editManifest { $0 = "" } },
    Damage("manifest of a newer format", "written by a newer pgkeep") {
      try $0.editManifest { $0 = $0.replacing("\"format\" : 1", with: "\"format\" : 2") }
    },
    Damage("manifest of a format that never was", "contradicts itself") {
      try $0.editManifest { $0 = $0.replacing("\"format\" : 1", with: "\"format\" : 0") }
    },
    Damage("two backups swapped", "the manifest is that of") {
      for (a, b) in [($0.names.manifestKey, $0.other.manifestKey), ($0.dataKey, $0.otherDataKey)] {
        let kept = try $0.directory.read(a)
        try $0.directory.write($0.directory.read(b), to: a)
        try $0.directory.write(kept, to: b)
      }
    },
    Damage("another backup's object", "The object holds another backup") {
      try $0.directory.write($0.directory.read($0.otherDataKey), to: $0.dataKey)
      try $0.seal()
    },
    Damage("manifest with other rows", "tells of other rows in public.big") {
      try $0.changeManifest { manifest in
        for i in manifest.tables.indices where manifest.tables[i].name == "big" {
          manifest.tables[i].rows += 1
        }
      }
    },
    Damage("manifest without a table", "does not tell of the table public.small") {
      try $0.changeManifest { $0.tables.removeAll { $0.name == "small" } }
    },
    Damage("manifest with a table too many", "lacks the table public.more") {
      try $0.changeManifest {
        $0.tables.append(.init(schema: "public", name: "more", rows: 0, hash: "0", bytes: 0))
      }
    },
    Damage("a member repeated", "The backup's index is damaged") {
      try $0.editPlain { bytes, index in
        let member = try data(index)[0]
        bytes.insert(contentsOf: Array(bytes[member.range]), at: member.range.upperBound)
      }
    },
    Damage("a member lost", "does not end as a whole backup does") {
      try $0.editPlain { bytes, index in bytes.removeSubrange(try data(index)[1].range) }
    },
    Damage("members in another order", "the member at byte") {
      try $0.editPlain { bytes, index in
        let (a, b) = (try data(index)[0].range, try data(index)[1].range)
        bytes.replaceSubrange(
          a.lowerBound..<b.upperBound, with: Array(bytes[b]) + Array(bytes[a]))
      }
    },
    Damage("a byte of the rows changed", "cannot be decompressed") {
      try $0.editPlain { bytes, index in
        let range = try data(index)[1].range
        bytes[(range.lowerBound + range.upperBound) / 2] ^= 0x10
      }
    },
    Damage("index with other rows of a table", "The backup's index contradicts itself") {
      try $0.editIndex { $0 = $0.replacing(/("name":"small".*"rows":)3/) { $0.1 + "4" } }
    },
    Damage("index with other hashes", "holds other rows than the index says") {
      // Of the one member of the table, and of the table: the index agrees with itself.
      try $0.editIndex { text in
        let hash = text.firstMatch(of: /"name":"small".*"hash":"([0-9a-f]{16})"/)?.1 ?? "none"
        text = text.replacing(hash, with: "0123456789abcdef")
      }
    },
    Damage("index of a newer format", "Use the version that wrote it") {
      try $0.editIndex { $0 = $0.replacing("\"format\":1,", with: "\"format\":9,") }
    },
    Damage("index without its totals", "index has no totals") {
      try $0.editIndex { $0 = $0.replacing(/-- \{"record":"totals".*\n/, with: "") }
    },
  ]

  /// To one that is not encrypted.
  static let plain: [Damage] = [
    Damage("replaced by as many bytes", "is no backup of pgkeep's") {
      try $0.edit { $0 = [UInt8](repeating: 0x55, count: $0.count) }
    },
    Damage("a flag of a member's header", "The object's SHA-256 is") {
      try $0.editPlain { bytes, index in
        // FTEXT, which means nothing: only the SHA-256 shows it.
        bytes[try data(index)[0].range.lowerBound + 3] |= 1
      }
      try $0.changeManifest { $0.object.sha256 = String(repeating: "5", count: 64) }
    },
    Damage("the end member", "does not end as a whole backup does") {
      try $0.edit { $0[$0.count - 20] ^= 1 }
    },
    Damage("a byte of the index", "index") {
      try $0.editPlain { bytes, index in bytes[index.offset + 60] ^= 0x20 }
    },
    Damage("encrypted behind the manifest's back", "says that the object is not encrypted") {
      let sink = MemorySink()
      let age = try AgeSink(to: [$0.recipient], into: sink)
      try $0.directory.read($0.dataKey).withUnsafeBytes { try age.write($0) }
      try age.finish()
      try $0.directory.write(sink.bytes, to: $0.dataKey)
      try $0.seal()
    },
  ]

  /// To one that is encrypted.
  static let encrypted: [Damage] = [
    Damage("replaced by as many bytes", "says that the object is encrypted, and it is not") {
      try $0.edit { $0 = [UInt8](repeating: 0x55, count: $0.count) }
      try $0.seal()
    },
    Damage("a byte of a chunk", "chunk 2 of the encrypted file was changed") {
      try $0.edit { $0[payload($0) + 2 * sealed + 70] ^= 1 }
    },
    Damage("two chunks in each other's place", "chunk 0 of the encrypted file was changed") {
      try $0.edit {
        let start = payload($0)
        let (a, b) = ($0[start..<start + sealed], $0[start + sealed..<start + 2 * sealed])
        $0.replaceSubrange(start..<start + 2 * sealed, with: Array(b) + Array(a))
      }
      try $0.seal()
    },
    Damage("cut at the end of a chunk", "its last chunk is missing") {
      try $0.edit { $0.removeLast(($0.count - payload($0)) % sealed) }
      try $0.seal()
    },
    Damage("the header's code", "header") {
      try $0.edit { bytes in
        let line = payload(bytes) - 16 - 20
        bytes[line] = bytes[line] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      }
      try $0.seal()
    },
  ]

  /// Bytes of a chunk with its tag.
  private static let sealed = 65_536 + 16

  /// Where the chunks begin: behind the header's last line and the nonce.
  private static func payload(_ bytes: [UInt8]) -> Int {
    let mark = Array("\n--- ".utf8)
    var at = 0
    while !bytes[at...].starts(with: mark) { at += 1 }
    at += 1
    while bytes[at] != UInt8(ascii: "\n") { at += 1 }
    return at + 1 + 16
  }

  /// The members with rows, of which the table `big` has several.
  private static func data(_ index: LogicalIndex) throws -> [MemberRecord] {
    try index.members(.data)
  }
}
