import Recovery
import ToolSupport

/// The doctor's page.
enum HealthRendering {
  static let areas = [
    (name: "database", title: "Database"), (name: "storage", title: "Storage"),
    (name: "backup", title: "Backups"),
  ]

  /// `status`, one status an area (null when nothing of it was looked at), and the findings.
  static func json(_ report: HealthReport) -> JSONValue {
    var members = [JSONValue.Member("status", .string(report.level.rawValue))]
    for area in areas {
      members.append(.init(area.name, JSONValue(report.level(ofArea: area.name)?.rawValue)))
    }
    members.append(
      .init(
        "findings",
        .array(
          report.findings.map { finding in
            [
              "name": .string(finding.name), "level": .string(finding.level.rawValue),
              "message": .string(finding.message),
              "advice": finding.advice.isEmpty ? .null : .string(finding.advice),
            ]
          })))
    return .object(members)
  }

  static func text(_ report: HealthReport) -> String {
    var text = ""
    for area in areas {
      let findings = report.findings.filter { $0.area == area.name }
      guard !findings.isEmpty else { continue }
      text += (text.isEmpty ? "" : "\n") + area.title + "\n"
      let width = findings.map(\.name.count).max() ?? 0
      for finding in findings {
        let level = finding.level.rawValue
        let padding = String(repeating: " ", count: width - finding.name.count)
        text += "  \(level)" + String(repeating: " ", count: 9 - level.count)
        text += "\(finding.name)\(padding)  \(lines(finding.message, width + 13))\n"
        if !finding.advice.isEmpty {
          text +=
            String(repeating: " ", count: width + 13)
            + "-> \(lines(finding.advice, width + 16))\n"
        }
      }
    }
    return text + "\n\(verdict(report))\n"
  }

  private static func verdict(_ report: HealthReport) -> String {
    let (failures, warnings) = (report.count(.failure), report.count(.warning))
    if failures == 0 && warnings == 0 { return "All is well." }
    return "\(Humane.plural(failures, "failure")), \(Humane.plural(warnings, "warning"))."
  }

  /// A text in lines of up to 100 characters, each but the first indented.
  private static func lines(_ text: String, _ indent: Int) -> String {
    var lines: [String] = []
    for line in text.split(separator: "\n") {
      var current = ""
      for word in line.split(whereSeparator: \.isWhitespace) {
        if !current.isEmpty, indent + current.count + 1 + word.count > 100 {
          lines.append(current)
          current = ""
        }
        current += (current.isEmpty ? "" : " ") + word
      }
      lines.append(current)
    }
    return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
  }
}
