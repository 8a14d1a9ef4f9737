import ArgumentParser
import Migrations
import ToolSupport

/// How a rehearsal's findings are shown.
enum FindingsFormat: String, ExpressibleByArgument, CaseIterable {
  case text, markdown, github
}

extension RehearsalFinding {
  var place: String { line.map { "\(file):\($0)" } ?? file }

  var json: JSONValue {
    [
      "name": .string(name.rawValue), "file": .string(file), "line": JSONValue(line),
      "message": .string(message), "advice": .string(advice), "error": .bool(isError),
      "note": .bool(isNote), "small": .bool(isSmall),
      "allowed_because": JSONValue(silencedBecause),
    ]
  }

  /// `error`, `warning`, `note`, or `allowed`.
  var level: String {
    silencedBecause != nil ? "allowed" : isError ? "error" : isNote ? "note" : "warning"
  }

  /// One line in the form of workflow commands.
  var annotation: String {
    let level = silencedBecause != nil || isNote ? "notice" : isError ? "error" : "warning"
    let position = line.map { ",line=\($0)" } ?? ""
    let text = Self.escaped("\(message). \(advice)")
    return "::\(level) file=\(file)\(position),title=\(name.rawValue)::\(text)\n"
  }

  private static func escaped(_ text: String) -> String {
    text.map { character in
      switch character {
      case "%": "%25"
      case "\n": "%0A"
      case "\r": "%0D"
      default: String(character)
      }
    }.joined()
  }
}

extension Rehearsal.Report {
  var json: JSONValue {
    [
      "proven": .bool(isProven), "steps": .array(steps.map { .string($0) }),
      "findings": .array(findings.map(\.json)),
    ]
  }

  func text(_ format: FindingsFormat) -> String {
    switch format {
    case .text: text
    case .markdown: markdown
    case .github: findings.map(\.annotation).joined()
    }
  }

  private var summary: String {
    guard !steps.isEmpty else { return "Nothing to rehearse." }
    let count = "\(steps.count) \(steps.count == 1 ? "migration" : "migrations")"
    return isProven
      ? "\(count): every down restores what was before, and every second up equals the first."
      : "\(count): not proven."
  }

  private var text: String {
    findings.map { finding in
      let level = finding.level
      let reason = finding.silencedBecause.map { "\n    because: \($0)" } ?? ""
      return "\(finding.place): \(level): \(finding.name.rawValue): \(finding.message)\n"
        + "    \(finding.advice)\(reason)\n"
    }.joined() + summary + "\n"
  }

  private var markdown: String {
    guard !findings.isEmpty else { return summary + "\n" }
    func cell(_ text: String) -> String {
      text.map { $0 == "|" ? "\\|" : $0 == "\n" ? " " : String($0) }.joined()
    }
    return summary + "\n\n| where | level | finding | what | safer |\n|---|---|---|---|---|\n"
      + findings.map {
        "| \(cell($0.place)) | \($0.level) | \($0.name.rawValue) | \(cell($0.message)) | "
          + "\(cell($0.silencedBecause.map { "allowed: \($0)" } ?? $0.advice)) |\n"
      }.joined()
  }
}
