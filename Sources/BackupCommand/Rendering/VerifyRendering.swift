import Repository
import ToolSupport

/// `backup verify`.
enum VerifyRendering {
  struct Result {
    var entry: CatalogEntry
    /// Nil when the backup is not whole, so that there is nothing to verify.
    var proof: Proof?

    var passed: Bool { proof?.passed ?? false }

    var problem: String {
      proof?.findings.joined(separator: " ") ?? "It is not whole: \(entry.problem ?? "")."
    }
  }

  static func text(_ results: [Result]) -> String {
    results.map { result in
      let name = "\(result.entry.id) of \(result.entry.database)"
      guard let proof = result.proof, proof.passed else { return "\(name): \(result.problem)\n" }
      let how = proof.kind == .deep ? "restored, compared and sound" : "sound"
      return "\(name) is \(how): \(Humane.plural(proof.rows, "row")) in "
        + "\(Humane.plural(proof.tables, "table")), \(Humane.size(proof.bytes)), in "
        + "\(Humane.duration(.seconds(proof.seconds))).\n"
    }.joined()
  }

  static func json(_ results: [Result]) -> JSONValue {
    ["backups": .array(results.map(json))]
  }

  static func json(_ result: Result) -> JSONValue {
    [
      "id": .string(result.entry.id.description), "database": .string(result.entry.database),
      "kind": JSONValue(result.proof?.kind.rawValue), "passed": .bool(result.passed),
      "rows": JSONValue(result.proof?.rows), "tables": JSONValue(result.proof?.tables),
      "bytes": JSONValue(result.proof?.bytes), "sha256": JSONValue(result.proof?.sha256),
    ]
  }

  static func failure(_ failed: [Result], of count: Int) -> ErrorReport {
    let lines = failed.map { result in
      "The backup \(result.entry.id) of \(result.entry.database) is damaged. \(result.problem)"
    }
    let heading = count == 1 ? "" : "\(failed.count) of \(count) backups are damaged.\n"
    return ErrorReport(
      .verificationFailed, code: "damaged", heading + lines.joined(separator: "\n"))
  }
}
