/// Lines up rows in columns, by the width that a terminal gives each character.
public struct TextTable: Sendable {
  /// A column's heading and on which side its values line up.
  public struct Column: Sendable, ExpressibleByStringLiteral {
    var title: String
    var isNumber: Bool

    /// Text: lines up on the left.
    public init(stringLiteral title: String) { self.init(title, isNumber: false) }
    private init(_ title: String, isNumber: Bool) {
      self.title = title
      self.isNumber = isNumber
    }
    /// A number: lines up on the right.
    public static func number(_ title: String) -> Column { Column(title, isNumber: true) }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  public init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row; missing values at its end are empty.
  public mutating func add(_ values: [String]) {
    let shown = values.prefix(columns.count).map(Self.onOneLine)
    rows.append(shown + Array(repeating: "", count: columns.count - shown.count))
  }

  public var isEmpty: Bool { rows.isEmpty }

  /// The table, each line with its newline; no trailing spaces.
  public var text: String {
    let lines = [columns.map(\.title)] + rows
    let widths = lines.map { $0.map(DisplayWidth.of) }
    let columnWidths = columns.indices.map { index in widths.map { $0[index] }.max() ?? 0 }
    var text = ""
    for (values, widths) in zip(lines, widths) {
      // Spaces are written before the next value, so that none are left at a line's end.
      var gap = 0
      for (index, value) in values.enumerated() {
        let padding = columnWidths[index] - widths[index]
        let (before, behind) = columns[index].isNumber ? (padding, 0) : (0, padding)
        if widths[index] > 0 {
          for _ in 0..<gap + before { text.append(" ") }
          text += value
          gap = behind + 2
        } else {
          gap += padding + 2
        }
      }
      text.append("\n")
    }
    return text
  }

  /// A value must not break the lines, nor steer the terminal.
  private static func onOneLine(_ value: String) -> String {
    // Nearly all text is, as it comes.
    if value.utf8.last != 0x20, value.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) {
      return value
    }
    var text = ""
    for scalar in value.unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
      text.unicodeScalars.append(isControl ? " " : scalar)
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}

/// How many terminal columns text takes.
enum DisplayWidth {
  static func of(_ text: String) -> Int {
    // Nearly all text is: Unicode's tables are slow to ask.
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  /// A character takes the width of its widest scalar: combining marks add nothing.
  private static func of(_ character: Character) -> Int {
    character.unicodeScalars.map { scalar in
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format, .control: 0
      default: isWide(scalar.value) ? 2 : 1
      }
    }.max() ?? 0
  }

  /// The blocks that Unicode's EastAsianWidth.txt gives as wide or fullwidth, roughly.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD:
      true
    default: false
    }
  }
}
