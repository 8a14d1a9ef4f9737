/// Finds the entries of a tar archive (POSIX ustar) that passes by in pieces of any size.
///
/// Looks at headers only; contents are skipped without being copied.
struct TarIndexer {
  private static let blockSize = 512

  private(set) var entries: [TarEntry] = []
  /// Bytes seen so far.
  private(set) var position = 0
  private var header: [UInt8] = []
  /// Bytes of content and padding that are still to pass.
  private var toSkip = 0

  /// Takes the next bytes of the archive.
  ///
  /// - Throws: ``PhysicalBackupError/Code/damaged`` when a header is none.
  mutating func take(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      if toSkip > 0 {
        let count = min(toSkip, rest.count)
        toSkip -= count
        advance(&rest, count)
        continue
      }
      let count = min(Self.blockSize - header.count, rest.count)
      header.append(contentsOf: rest.prefix(count))
      advance(&rest, count)
      if header.count == Self.blockSize {
        try readHeader()
        header.removeAll(keepingCapacity: true)
      }
    }
  }

  /// Says that the archive has ended.
  func finish() throws {
    guard toSkip == 0, header.isEmpty else {
      throw PhysicalBackupError(
        .damaged, "the server's tar archive ends in the middle of an entry, at byte \(position)")
    }
  }

  private mutating func advance(_ rest: inout UnsafeRawBufferPointer, _ count: Int) {
    position += count
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }

  private mutating func readHeader() throws {
    // Two blocks of zeros end an archive.
    if header.allSatisfy({ $0 == 0 }) { return }
    guard isSound, let size = number(124..<136), let mode = number(100..<108) else {
      throw PhysicalBackupError(
        .damaged, "the server's tar archive has a broken header before byte \(position)")
    }
    var path = text(0..<100)
    let prefix = text(345..<500)
    if !prefix.isEmpty { path = prefix + "/" + path }
    while path.hasPrefix("./") { path.removeFirst(2) }
    while path.hasSuffix("/") { path.removeLast() }
    let kind: TarEntry.Kind
    switch header[156] {
    case 0, UInt8(ascii: "0"): kind = .file
    case UInt8(ascii: "5"): kind = .directory
    case UInt8(ascii: "2"): kind = .symbolicLink
    default:
      throw PhysicalBackupError(
        .damaged, "the server's tar archive has an entry of an unknown kind: \(path)")
    }
    guard !path.split(separator: "/").contains(".."), !path.hasPrefix("/") else {
      throw PhysicalBackupError(
        .damaged, "the server's tar archive has an entry that leads out of it: \(path)")
    }
    entries.append(
      TarEntry(
        path: path, kind: kind, mode: mode & 0o7777, size: kind == .file ? size : 0,
        offset: position, target: kind == .symbolicLink ? text(157..<257) : nil))
    if kind == .file { toSkip = (size + Self.blockSize - 1) / Self.blockSize * Self.blockSize }
  }

  /// Whether the header's checksum is right: the sum of its bytes with the field itself as spaces.
  private var isSound: Bool {
    var sum = 0
    for (index, byte) in header.enumerated() {
      sum += (148..<156).contains(index) ? 32 : Int(byte)
    }
    return number(148..<156) == sum
  }

  /// An octal number, or a binary one where the first bit is set (sizes of 8 GiB and more).
  private func number(_ range: Range<Int>) -> Int? {
    let field = header[range]
    if header[range.lowerBound] & 0x80 != 0 {
      return field.dropFirst().reduce(Int(header[range.lowerBound] & 0x7F)) {
        $0 << 8 | Int($1)
      }
    }
    let digits = field.filter { $0 != 0 && $0 != 32 }
    guard digits.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self)
  }
}
