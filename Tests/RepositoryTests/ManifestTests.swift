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

  /// What the first version wrote is read, and written in the same way.
  @Test func theFormatStays() throws {
    let manifest = try Manifest(decoding: Array(Self.first.utf8))
    #expect(manifest.database == "postgres" && manifest.rows == 1)
    #expect(String(decoding: try manifest.encoded(), as: UTF8.self) == Self.first)
  }

  private static let first = """
    {
      "database" : "postgres",
      "environment" : "default",
      "finished" : "2026-11-23T04:43:57.396Z",
      "format" : 1,
      "id" : "20261123T044357Z-114b1cbd",
      "kind" : "logical",
      "largeObjects" : 0,
      "object" : {
        "compression" : "fast",
        "indexOffset" : 1221,
        "name" : "20261123T044357Z-114b1cbd.sql.gz",
        "plainSize" : 1832,
        "sha256" : "4b4676896b5d6c9f0614f058107befa6180bd686b122bf66cc725b35ffe86bca",
        "size" : 1832
      },
      "options" : {
        "partial" : false,
        "selection" : [

        ]
      },
      "properties" : {
        "collate" : "C.UTF-8",
        "ctype" : "C.UTF-8",
        "encoding" : "UTF8",
        "localeProvider" : "libc",
        "owner" : "postgres"
      },
      "sequences" : 0,
      "server" : {
        "systemIdentifier" : "7711223094204392355",
        "version" : "15.20 (Debian 15.20-0+deb12u1)",
        "versionNumber" : 150020
      },
      "started" : "2026-11-23T04:43:57.276Z",
      "tables" : [
        {
          "bytes" : 2,
          "hash" : "d4165542239a280e",
          "name" : "t",
          "rows" : 1,
          "schema" : "public"
        }
      ],
      "tool" : "0.1.0"
    }

    """
}
