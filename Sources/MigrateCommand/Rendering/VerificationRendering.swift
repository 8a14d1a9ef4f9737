import Migrations
import ToolSupport

extension Verification {
  var json: JSONValue {
    [
      "clean": .bool(isClean),
      "findings": .array(
        findings.map {
          [
            "kind": .string($0.kind.rawValue), "migration": .string($0.title),
            "advice": .string($0.advice),
          ]
        }),
    ]
  }
}
