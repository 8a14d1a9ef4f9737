import Foundation
import Repository
import Testing

@Suite struct ManifestTests {
  @Test func isWrittenAndRead() throws {
    let manifest = Sample.manifest(try Sample.names("a/b \"c\""), encrypted: true)
    #expect(try Manifest(decoding: manifest.encoded()) == manifest)
    #expect(manifest.rows == 42)
  }

  @Test func passesOverFieldsItDoesNotKnow() throws {
    let manifest = Sample.manifest(try Sample.names())
    let changed = try edit(manifest) { $0["novelty"] = ["deep": [1, 2, 3]] }
    #expect(try Manifest(decoding: changed) == manifest)
  }

  @Test func recognisesANewerFormatWhateverElseItHolds() throws {
    let newer = Array(#"{"format": 2, "tables": "elsewhere"}"#.utf8)
    #expect(code { _ = try Manifest(decoding: newer) } == .newerFormat)
  }

  @Test(arguments: ["", "{}", "[]", "null", "{\"format\": \"1\"}", "not json", "{\"format\": 1}"])
  func refusesOtherText(_ text: String) {
    #expect(code { _ = try Manifest(decoding: Array(text.utf8)) } == .damaged)
  }

  @Test func refusesWhatContradictsItself() throws {
    let manifest = Sample.manifest(try Sample.names())
    for (field, value) in [
      ("size", -1), ("indexOffset", 101), ("indexOffset", -1), ("name", "other.sql.gz"),
    ] as [(String, Any)] {
      let changed = try edit(manifest) { json in
        var object = json["object"] as? [String: Any] ?? [:]
        object[field] = value
        json["object"] = object
      }
      #expect(code { _ = try Manifest(decoding: changed) } == .damaged, "\(field)")
    }
  }

  @Test func everyMissingFieldIsNamed() throws {
    let manifest = Sample.manifest(try Sample.names())
    for field in ["id", "database", "object", "tables", "server", "finished"] {
      let changed = try edit(manifest) { $0[field] = nil }
      do {
        _ = try Manifest(decoding: changed)
        Issue.record("read without \(field)")
      } catch { #expect("\(error)".contains(field)) }
    }
  }

  private func edit(
    _ manifest: Manifest, _ change: (inout [String: Any]) -> Void
  ) throws -> [UInt8] {
    let data = Data(try manifest.encoded())
    var json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    change(&json)
    return Array(try JSONSerialization.data(withJSONObject: json))
  }
}
