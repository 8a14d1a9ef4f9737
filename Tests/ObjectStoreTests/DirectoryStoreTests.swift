import ByteStream
import Foundation
import Glibc
import ObjectStore
import Testing

@Suite struct DirectoryStoreTests {
  @Test(arguments: StoreConformance.allCases)
  func conforms(_ check: StoreConformance) throws {
    try withStore { try check.run(on: $0) }
  }

  @Test func makesPrivateFoldersAndFiles() throws {
    try withStore { store in
      try store.put("production/app/logical/one.json", [1])
      #expect(mode(store.root) == 0o700)
      #expect(mode(store.root + "/production/app") == 0o700)
      #expect(mode(store.root + "/production/app/logical/one.json") == 0o600)
    }
  }

  @Test func namesFilesLikeTheirKeys() throws {
    try withStore { store in
      try store.put("app/logical/a.sql.gz", [1])
      #expect(FileManager.default.fileExists(atPath: store.root + "/app/logical/a.sql.gz"))
      // A file that somebody copied there is an object too; a hidden one is not.
      try Data([1, 2]).write(to: URL(fileURLWithPath: store.root + "/app/copied.gz"))
      try Data([1, 2]).write(to: URL(fileURLWithPath: store.root + "/app/.DS_Store"))
      #expect(
        try store.list(prefix: "app/").map(\.key) == ["app/copied.gz", "app/logical/a.sql.gz"])
    }
  }

  @Test func aKeyBelowAnotherObjectIsSaidPlainly() throws {
    try withStore { store in
      try store.put("a", [1])
      expectCode(.invalidLocation) { try store.put("a/b", [1]) }
    }
  }

  @Test func doesNotFollowSymbolicLinks() throws {
    try withStore { store in
      try store.put("real", [1])
      try FileManager.default.createSymbolicLink(
        atPath: store.root + "/link", withDestinationPath: "/etc/passwd")
      expectCode(.invalidLocation) { _ = try store.readAll("link", limit: 100_000) }
      #expect(try store.list(prefix: "").map(\.key) == ["real"])
    }
  }

  @Test func theRootMayBeASymbolicLink() throws {
    try withStore { store in
      try store.put("real", [1])
      try FileManager.default.createSymbolicLink(
        atPath: store.root + "-link", withDestinationPath: store.root)
      let linked = try DirectoryStore(path: store.root + "-link")
      try linked.put("other", [2])
      #expect(try store.list(prefix: "").map(\.key) == ["other", "real"])
    }
  }

  @Test func aMissingStoreIsEmpty() throws {
    let store = try DirectoryStore(path: "/nonexistent/pgkeep/store")
    #expect(try store.list(prefix: "").isEmpty)
    #expect(try store.info("a") == nil)
    #expect(try store.unfinished(prefix: "").isEmpty)
    expectCode(.notFound) { _ = try store.readAll("a", limit: 1) }
  }

  @Test(arguments: ["relative/path", "", "nul\0/x"])
  func refusesPathsThatAreNotAbsolute(_ path: String) {
    expectCode(.invalidLocation) { _ = try DirectoryStore(path: path) }
  }

  @Test func aKilledWritersFileIsFoundAndNotListed() throws {
    try withStore { store in
      try store.put("db/old.gz", [1])
      // What a writer leaves that was killed before its rename.
      try Data([1, 2, 3]).write(
        to: URL(fileURLWithPath: store.root + "/db/.new.gz.0123456789abcdef.tmp"))
      #expect(try store.list(prefix: "").map(\.key) == ["db/old.gz"])
      let unfinished = try store.unfinished(prefix: "db/")
      #expect(unfinished.map(\.key) == ["db/new.gz"])
      for write in unfinished { try store.discard(write) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: store.root + "/db") == ["old.gz"])
      expectCode(.invalidLocation) {
        try store.discard(
          UnfinishedWrite(key: "db/old.gz", id: "old.gz", started: UTCTime(seconds: 0)))
      }
    }
  }

  private func mode(_ path: String) -> UInt32 {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }
}

/// Gives a directory store in a folder of its own, which is removed afterwards.
func withStore(_ body: (DirectoryStore) throws -> Void) throws {
  let root = FileManager.default.temporaryDirectory.path + "/pgkeep-store-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: root) }
  try body(DirectoryStore(path: root + "/store"))
}
