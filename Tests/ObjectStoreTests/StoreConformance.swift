import ByteStream
import Foundation
import ObjectStore
import Testing

struct Mine: Error {}

/// What every object store does: each check is run against each store.
///
/// A check works below a prefix of its own, so checks may share one store and run at once.
enum StoreConformance: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case roundTrip, emptyObject, overwrite, onlyIfAbsent, streaming, streamingLarge
  case notVisibleBeforeFinish, abortLeavesNothing, cancelledWriteLeavesNothing
  case readRanges, rangeBeyondEnd, missingObject, deleteIsIdempotent, deleteMany
  case listInKeyOrder, listPrefixes, listAfter, listManyPages, oddKeys, badKeysAreRefused
  case unfinishedWritesAreFoundAndDiscarded, clockAndModified, parallelUse, bodyErrorPassesOn

  var testDescription: String { rawValue }

  /// Where a server is known not to do what S3 does; everything else is still checked.
  struct Quirks: OptionSet {
    let rawValue: Int
    /// A folder's name is sorted without the slash behind it.
    static let sortsByFolder = Quirks(rawValue: 1)
    /// A backslash becomes a slash.
    static let changesBackslashes = Quirks(rawValue: 2)
    /// Every upload was begun at the same moment, long ago.
    static let inventsUploadTimes = Quirks(rawValue: 4)
  }

  /// Runs the check.
  ///
  /// - Parameter pageCount: how many objects make more than one page of a listing.
  func run(
    on base: any ObjectStore, quirks: Quirks = [], pageCount: Int = 30
  ) throws {
    let store = try PrefixedStore(base, prefix: "conformance/\(UUID().uuidString)")
    switch self {
    case .roundTrip: try roundTrip(store)
    case .emptyObject: try emptyObject(store)
    case .overwrite: try overwrite(store)
    case .onlyIfAbsent: try onlyIfAbsent(store)
    case .streaming: try streaming(store, size: 300_000, piece: 7777)
    case .streamingLarge: try streaming(store, size: 21_000_001, piece: 1_000_003)
    case .notVisibleBeforeFinish: try notVisibleBeforeFinish(store)
    case .abortLeavesNothing: try abortLeavesNothing(store)
    case .cancelledWriteLeavesNothing: try cancelledWriteLeavesNothing(store)
    case .readRanges: try readRanges(store)
    case .rangeBeyondEnd: try rangeBeyondEnd(store)
    case .missingObject: try missingObject(store)
    case .deleteIsIdempotent: try deleteIsIdempotent(store)
    case .deleteMany: try deleteMany(store, count: pageCount)
    case .listInKeyOrder: try listInKeyOrder(store, quirks)
    case .listPrefixes: try listPrefixes(store)
    case .listAfter: try listAfter(store)
    case .listManyPages: try listManyPages(store, count: pageCount)
    case .oddKeys: try oddKeys(store, quirks)
    case .badKeysAreRefused: try badKeysAreRefused(store)
    case .unfinishedWritesAreFoundAndDiscarded: try unfinishedWrites(store, quirks)
    case .clockAndModified: try clockAndModified(store)
    case .parallelUse: try parallelUse(store)
    case .bodyErrorPassesOn: try bodyErrorPassesOn(store)
    }
  }

  // MARK: Writing

  private func roundTrip(_ store: some ObjectStore) throws {
    let bytes = Array("{\"a\": 1}\n".utf8)
    try store.put("a/b/manifest.json", bytes, options: PutOptions(contentType: "application/json"))
    #expect(try store.readAll("a/b/manifest.json", limit: 100) == bytes)
    let info = try #require(try store.info("a/b/manifest.json"))
    #expect(info.key == "a/b/manifest.json")
    #expect(info.size == bytes.count)
    expectCode(.damaged) { _ = try store.readAll("a/b/manifest.json", limit: 3) }
  }

  private func emptyObject(_ store: some ObjectStore) throws {
    try store.put("empty", [])
    #expect(try store.info("empty")?.size == 0)
    #expect(try store.readAll("empty", limit: 1) == [])
    let sink = try store.writer("empty-stream")
    try sink.finish()
    #expect(try store.info("empty-stream")?.size == 0)
  }

  private func overwrite(_ store: some ObjectStore) throws {
    try store.put("x", Array("one".utf8))
    try store.put("x", Array("second".utf8))
    #expect(try store.readAll("x", limit: 100) == Array("second".utf8))
    let sink = try store.writer("x")
    try sink.write(Array("third".utf8))
    #expect(try store.readAll("x", limit: 100) == Array("second".utf8))
    try sink.finish()
    #expect(try store.readAll("x", limit: 100) == Array("third".utf8))
  }

  private func onlyIfAbsent(_ store: some ObjectStore) throws {
    let once = PutOptions(onlyIfAbsent: true)
    try store.put("m", Array("first".utf8), options: once)
    expectCode(.alreadyExists) { try store.put("m", Array("second".utf8), options: once) }
    #expect(try store.readAll("m", limit: 100) == Array("first".utf8))
    #expect(try store.unfinished(prefix: "").isEmpty)
  }

  private func streaming(_ store: some ObjectStore, size: Int, piece: Int) throws {
    let bytes = Self.pattern(size)
    let sink = try store.writer("stream", options: WriteOptions(expectedSize: size))
    for start in stride(from: 0, to: size, by: piece) {
      try bytes[start..<min(start + piece, size)].withUnsafeBytes { try sink.write($0) }
    }
    try sink.finish()
    sink.abort()
    #expect(try store.info("stream")?.size == size)
    let read = try store.readAll("stream", limit: size)
    expectSame(read, bytes)
    #expect(try store.unfinished(prefix: "").isEmpty)
  }

  private func notVisibleBeforeFinish(_ store: some ObjectStore) throws {
    let sink = try store.writer("late")
    try sink.write(Self.pattern(9_000_000))
    #expect(try store.info("late") == nil)
    #expect(try store.list(prefix: "").isEmpty)
    try sink.finish()
    #expect(try store.info("late")?.size == 9_000_000)
    #expect(throws: ObjectStoreError.self) { try sink.write([1]) }
  }

  private func abortLeavesNothing(_ store: some ObjectStore) throws {
    let sink = try store.writer("aborted")
    try sink.write(Self.pattern(9_000_000))
    sink.abort()
    sink.abort()
    #expect(try store.info("aborted") == nil)
    #expect(try store.unfinished(prefix: "").isEmpty)
    #expect(throws: ObjectStoreError.self) { try sink.finish() }
    // Forgotten without a word, as when an error unwinds past it.
    do {
      let forgotten = try store.writer("forgotten")
      try forgotten.write(Self.pattern(100))
    }
    #expect(try store.info("forgotten") == nil)
    #expect(try store.unfinished(prefix: "").isEmpty)
  }

  private func cancelledWriteLeavesNothing(_ store: some ObjectStore) throws {
    let cancellation = Cancellation()
    let sink = try store.writer("cancelled", options: WriteOptions(cancellation: cancellation))
    try sink.write(Self.pattern(9_000_000))
    cancellation.cancel(reason: "stopped by the test")
    expectCode(.cancelled) {
      try sink.write([1])
      try sink.finish()
    }
    sink.abort()
    #expect(try store.info("cancelled") == nil)
    #expect(try store.unfinished(prefix: "").isEmpty)
  }

  private func unfinishedWrites(_ store: some ObjectStore, _ quirks: Quirks) throws {
    let sink = try store.writer("db/half")
    // More than a part, so that every kind of store has begun.
    try sink.write(Self.pattern(12_000_000))
    let found = try store.unfinished(prefix: "db/")
    #expect(found.map(\.key) == ["db/half"])
    #expect(try store.unfinished(prefix: "other/").isEmpty)
    let write = try #require(found.first)
    if !quirks.contains(.inventsUploadTimes) {
      #expect(abs(try store.clock().seconds(since: write.started)) < 120)
    }
    try store.discard(write)
    #expect(try store.unfinished(prefix: "").isEmpty)
    try store.discard(write)
    #expect(throws: (any Error).self) {
      try sink.write(Self.pattern(9_000_000))
      try sink.finish()
    }
    sink.abort()
    #expect(try store.info("db/half") == nil)
  }

  // MARK: Reading

  private func readRanges(_ store: some ObjectStore) throws {
    let bytes = Self.pattern(1_000_000)
    try store.put("ranges", bytes)
    for range in [0..<1, 0..<1_000_000, 999_999..<1_000_000, 123_456..<654_321, 5..<5] {
      let read = try store.readRange("ranges", range)
      expectSame(read, Array(bytes[range]), "\(range)")
    }
  }

  private func rangeBeyondEnd(_ store: some ObjectStore) throws {
    try store.put("short", Self.pattern(100))
    expectCode(.truncated) { _ = try store.readRange("short", 50..<101) }
    expectCode(.truncated) { _ = try store.readRange("short", 100..<110) }
    expectCode(.truncated) { _ = try store.readRange("short", 200..<300) }
  }

  private func missingObject(_ store: some ObjectStore) throws {
    #expect(try store.info("none") == nil)
    #expect(try store.info("none/below") == nil)
    expectCode(.notFound) { _ = try store.readAll("none", limit: 10) }
    expectCode(.notFound) { _ = try store.readRange("none", 0..<10) }
    #expect(try store.list(prefix: "none").isEmpty)
  }

  private func bodyErrorPassesOn(_ store: some ObjectStore) throws {
    try store.put("body", Self.pattern(3_000_000))
    #expect(throws: Mine.self) { try store.read("body") { _ in throw Mine() } }
    #expect(throws: Mine.self) { try store.list(prefix: "body") { _ in throw Mine() } }
    let cancellation = Cancellation()
    cancellation.cancel(reason: "stopped by the test")
    expectCode(.cancelled) {
      try store.read("body", range: nil, cancellation: cancellation) { _ in }
    }
  }

  // MARK: Deleting and listing

  private func deleteIsIdempotent(_ store: some ObjectStore) throws {
    try store.put("gone", [1])
    try store.put("stays", [2])
    try store.delete(["gone", "never/was"])
    try store.delete("gone")
    try store.delete([String]())
    #expect(try store.list(prefix: "").map(\.key) == ["stays"])
  }

  private func deleteMany(_ store: some ObjectStore, count: Int) throws {
    let keys = (0..<count).map { "many/\($0) & <more>" }
    for key in keys { try store.put(key, [0]) }
    try store.delete(keys)
    #expect(try store.list(prefix: "").isEmpty)
  }

  private func listInKeyOrder(_ store: some ObjectStore, _ quirks: Quirks) throws {
    let keys = ["a-b", "a/c", "a/b/d", "a.x", "B", "a0", "é", "z/1", "z/10", "z/2"]
    for key in keys { try store.put(key, Array(key.utf8)) }
    let listed = try store.list(prefix: "")
    let expected = keys.sorted { a, b in
      let bySlash = quirks.contains(.sortsByFolder)
      let (a, b) =
        bySlash ? (a.replacing("/", with: "\u{1}"), b.replacing("/", with: "\u{1}")) : (a, b)
      return a.utf8.lexicographicallyPrecedes(b.utf8)
    }
    #expect(listed.map(\.key) == expected)
    #expect(listed.map(\.size) == expected.map(\.utf8.count))
  }

  private func listPrefixes(_ store: some ObjectStore) throws {
    for key in ["p/a/1", "p/a/2", "p/ab/1", "p/b", "q"] { try store.put(key, [1]) }
    #expect(try store.list(prefix: "p/a").map(\.key) == ["p/a/1", "p/a/2", "p/ab/1"])
    #expect(try store.list(prefix: "p/a/").map(\.key) == ["p/a/1", "p/a/2"])
    #expect(try store.list(prefix: "p/a/2").map(\.key) == ["p/a/2"])
    #expect(try store.list(prefix: "p/c").isEmpty)
    #expect(try store.list(prefix: "").count == 5)
  }

  private func listManyPages(_ store: some ObjectStore, count: Int) throws {
    let keys = (0..<count).map { "page/\(10000 + $0)" }
    for key in keys { try store.put(key, [0]) }
    #expect(try store.list(prefix: "page/").map(\.key) == keys)
    var later: [String] = []
    try store.list(prefix: "page/", after: keys[1]) { later.append($0.key) }
    #expect(later == Array(keys[2...]))
  }

  private func listAfter(_ store: some ObjectStore) throws {
    let keys = ["l/1.a", "l/1.a.b", "l/2", "l/3/x", "l/é +&=?", "m"]
    for key in keys { try store.put(key, [1]) }
    func list(_ prefix: String, _ after: String) throws -> [String] {
      var found: [String] = []
      try store.list(prefix: prefix, after: after) { found.append($0.key) }
      return found
    }
    #expect(try list("l/", "l/") == ["l/1.a", "l/1.a.b", "l/2", "l/3/x", "l/é +&=?"])
    #expect(try list("l/", "l/1.a") == ["l/1.a.b", "l/2", "l/3/x", "l/é +&=?"])
    #expect(try list("l/", "l/10") == ["l/2", "l/3/x", "l/é +&=?"])
    #expect(try list("l/", "l/3/a") == ["l/3/x", "l/é +&=?"])
    #expect(try list("l/", "l/3/x") == ["l/é +&=?"])
    #expect(try list("l/", "l/é +&=?").isEmpty)
    #expect(try list("", "l/z") == ["l/é +&=?", "m"])
  }

  static let odd = [
    "with space", "plus+sign", "percent%25and%", "amp&lt;<tag>\"quoted\"'", "ünïcödé/日本語",
    "equals=and;semi:colon", "at@and$and,comma", "question?mark#hash", "tilde~star*paren()",
    "back\\slash|pipe", "[brackets]{braces}^`", ".hidden", "a/.hidden/x",
    ".name.0123456789abcdef.tmp",
    "emoji🐘", "trailing.", "double..dots", "%2F", "%2e%2e",
  ]

  private func oddKeys(_ store: some ObjectStore, _ quirks: Quirks) throws {
    let odd = Self.odd.filter { !quirks.contains(.changesBackslashes) || !$0.contains("\\") }
    for key in odd { try store.put(key, Array(key.utf8)) }
    for key in odd {
      #expect(try store.readAll(key, limit: 1000) == Array(key.utf8), "\(key)")
      #expect(try store.info(key)?.size == key.utf8.count, "\(key)")
      #expect(try store.list(prefix: key).map(\.key).contains(key), "\(key)")
    }
    #expect(Set(try store.list(prefix: "").map(\.key)) == Set(odd))
    try store.delete(odd)
    #expect(try store.list(prefix: "").isEmpty)
  }

  private func badKeysAreRefused(_ store: some ObjectStore) throws {
    let bad = [
      "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/..", "./a", "nul\0", "new\nline",
      String(repeating: "k", count: 1025),
    ]
    for key in bad {
      expectCode(.invalidLocation) { try store.put(key, [1]) }
      expectCode(.invalidLocation) { _ = try store.writer(key) }
      expectCode(.invalidLocation) { _ = try store.info(key) }
      expectCode(.invalidLocation) { _ = try store.readAll(key, limit: 1) }
      expectCode(.invalidLocation) { try store.delete(key) }
    }
  }

  private func clockAndModified(_ store: some ObjectStore) throws {
    try store.put("now", [1])
    let clock = try store.clock()
    let info = try #require(try store.info("now"))
    #expect(abs(clock.seconds(since: info.modified)) < 60)
    #expect(try store.list(prefix: "now").first?.modified.seconds(since: info.modified) ?? 9 < 1)
    #expect(try store.list(prefix: "").map(\.key) == ["now"])
  }

  // MARK: Threads

  private func parallelUse(_ store: some ObjectStore) throws {
    let group = ThreadGroup(following: Cancellation())
    for thread in 0..<4 {
      group.start("user \(thread)") {
        for i in 0..<5 {
          let bytes = Self.pattern(20_000 + 1000 * thread + i)
          try store.put("t\(thread)/\(i)", bytes)
          let read = try store.readAll("t\(thread)/\(i)", limit: 100_000)
          if read != bytes { throw ObjectStoreError(.damaged, "another thread's bytes") }
        }
      }
    }
    try group.join()
    #expect(try store.list(prefix: "").count == 20)
  }

  // MARK: Helpers

  static func pattern(_ count: Int) -> [UInt8] { Array(longPattern.prefix(count)) }

  /// Made once: random bytes take their time in a debug build.
  private static let longPattern: [UInt8] = {
    var state: UInt64 = 12345
    var bytes = [UInt8](repeating: 0, count: 22_000_000)
    bytes.withUnsafeMutableBytes { buffer in
      for i in stride(from: 0, to: buffer.count - 8, by: 8) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        buffer.storeBytes(of: state, toByteOffset: i, as: UInt64.self)
      }
    }
    return bytes
  }()
}

/// Expects an ``ObjectStoreError`` of that code.
func expectCode(
  _ code: ObjectStoreError.Code, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error, expected \(code)", sourceLocation: sourceLocation)
  } catch let error as ObjectStoreError {
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(error), expected \(code)", sourceLocation: sourceLocation)
  }
}

/// Expects the same bytes, without the difference that `#expect` would work out byte by byte.
func expectSame(
  _ found: [UInt8], _ expected: [UInt8], _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let isSame = found == expected
  let place =
    isSame ? nil : zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
  #expect(
    isSame,
    comment ?? "\(found.count) of \(expected.count) bytes, first difference at \(place ?? -1)",
    sourceLocation: sourceLocation)
}
