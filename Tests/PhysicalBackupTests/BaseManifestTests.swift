import Repository
import Testing

@testable import PhysicalBackup

@Suite struct BaseManifestTests {
  /// What the first version wrote is read, and written in the same way.
  @Test func theFormatStays() throws {
    let manifest = try BaseManifest(decoding: Array(Self.first.utf8), key: "x.json")
    #expect(manifest.server.major == 15 && manifest.parent == nil)
    #expect(String(decoding: try manifest.encoded(), as: UTF8.self) == Self.first)
  }

  @Test func whatCannotBeReadIsNamed() throws {
    for (text, code) in [
      (#"{"format": 3, "archives": "elsewhere"}"#, PhysicalBackupError.Code.newerFormat),
      (#"{"format": 1}"#, .damaged), ("", .damaged),
    ] {
      let error = #expect(throws: PhysicalBackupError.self) {
        try BaseManifest(decoding: Array(text.utf8), key: "x.json")
      }
      #expect(error?.code == code)
      #expect(error?.description.contains("x.json") ?? false)
    }
  }

  private static let first = """
    {
      "archives" : [
        {
          "key" : "default/cluster/7711223094204392355/base/20261123T044357Z-1f363cbf/base.tar.gz",
          "plainSize" : 40512512,
          "sha256" : "e18608d86242708cc0fb9f7bb734710990aefb00b339943858b8434d77808189",
          "size" : 3715682
        }
      ],
      "end" : "0/2000100",
      "endTime" : 1795409037726137,
      "finished" : "2026-11-23T04:43:57.720Z",
      "format" : 1,
      "id" : "20261123T044357Z-1f363cbf",
      "includesWAL" : true,
      "index" : {
        "key" : "default/cluster/7711223094204392355/base/20261123T044357Z-1f363cbf/index.json.gz",
        "plainSize" : 61191,
        "sha256" : "ab53e9b0def06ee3335db84314ea604afe0bf2bed22f9e133b7112a474613e36",
        "size" : 9990
      },
      "label" : "pgkeep",
      "server" : {
        "isStandby" : false,
        "segmentSize" : 16777216,
        "systemIdentifier" : "7711223094204392355",
        "version" : "15.20 (Debian 15.20-0+deb12u1)",
        "versionNumber" : 150020
      },
      "serverManifest" : {
        "key" : "default/cluster/7711223094204392355/base/20261123T044357Z-1f363cbf/backup_manifest.gz",
        "plainSize" : 191653,
        "sha256" : "83b75963b04b18fe61f7b24f29b76cea81364b7a9767fe2bff2dbb1140ade80a",
        "size" : 36522
      },
      "settings" : {
        "key" : "default/cluster/7711223094204392355/base/20261123T044357Z-1f363cbf/settings.json",
        "plainSize" : 34338,
        "sha256" : "e4283874eb5325738d057e4461fbab9a94a1362fe1c4b078f02fdac876c77d65",
        "size" : 34338
      },
      "start" : "0/2000028",
      "started" : "2026-11-23T04:43:57.499Z",
      "tablespaces" : [

      ],
      "timeline" : 1,
      "tool" : "pgkeep 0.1.0"
    }

    """
}
