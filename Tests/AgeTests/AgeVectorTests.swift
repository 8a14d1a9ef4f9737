import Age
import Crypto
import Foundation
import TestSupport
import Testing

/// The specification's own test vectors: C2SP CCTV, age/testdata.
@Suite struct AgeVectorTests {
  private struct Vector {
    var expect = ""
    var payload = ""
    var identities: [AgeIdentity] = []
    var body: [UInt8] = []
  }

  private static let folder = ProjectRoot.path + "/Tests/Vectors/age"

  @Test func allVectors() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
    #expect(names.count > 90)
    let inflated = try TestDirectory()
    try inflate(into: inflated)
    for name in names {
      let vector = try read(name, inflated)
      let outcome = outcome(vector)
      #expect(outcome == vector.expect, "\(name)")
    }
  }

  /// What became of a vector, in the vectors' words.
  private func outcome(_ vector: Vector) -> String {
    let file: AgeFile
    do {
      file = try AgeFile(size: vector.body.count, identities: vector.identities) { range, body in
        try vector.body[range].withUnsafeBytes { try body($0) }
      }
    } catch let error as AgeError {
      switch error.code {
      case .wrongKey: return "no match"
      case .headerDamaged: return "HMAC failure"
      case .chunkDamaged: return "payload failure"
      // The end is looked at first: a payload that is cut short is found before it is read.
      case .truncated: return vector.expect == "payload failure" ? vector.expect : "header failure"
      default: return "header failure"
      }
    } catch { return "\(error)" }
    do {
      let digest = try Digest(.sha256)
      try file.read(0..<file.plainSize) { try digest.update($0) }
      let hash = Hex.encode(try digest.finish())
      return hash == vector.payload ? "success" : "another payload"
    } catch { return "payload failure" }
  }

  private func read(_ name: String, _ inflated: TestDirectory) throws -> Vector {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/" + name)))
    let end = try #require(bytes.firstRange(of: Array("\n\n".utf8)))
    var vector = Vector()
    vector.body = Array(bytes[end.upperBound...])
    for line in String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\n") {
      let value = String(line.drop { $0 != " " }.dropFirst())
      switch line.prefix(while: { $0 != ":" }) {
      case "expect": vector.expect = value
      case "payload": vector.payload = value
      case "identity": vector.identities.append(try AgeIdentity(value))
      case "passphrase": vector.identities.append(.passphrase(value))
      case "compressed": vector.body = try inflated.read(name)
      default: continue
      }
    }
    return vector
  }

  private func inflate(into folder: TestDirectory) throws {
    let code = """
      import os, sys, zlib
      for name in os.listdir(sys.argv[1]):
        head, body = open(sys.argv[1] + '/' + name, 'rb').read().split(b'\\n\\n', 1)
        if b'compressed: zlib' in head:
          open(sys.argv[2] + '/' + name, 'wb').write(zlib.decompress(body))
      """
    _ = try Command.check("/usr/bin/python3", ["-c", code, Self.folder, folder.path])
  }
}
