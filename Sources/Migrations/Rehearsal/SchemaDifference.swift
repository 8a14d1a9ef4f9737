import Postgres
import Schema

/// How one schema differs from another, in words.
public struct SchemaDifference: Hashable, Sendable {
  public enum Change: String, Hashable, Sendable {
    /// Only the second has it.
    case added
    /// Only the first has it.
    case removed
  }

  /// One object, or one part of an object.
  public struct Entry: Hashable, Sendable {
    public var change: Change
    /// `table public.orders`, or `public.orders: note text`.
    public var what: String
    /// Whether it is a label of an enum type, which PostgreSQL cannot take away.
    public var isEnumLabel: Bool
  }

  public var entries: [Entry]
  public var isEmpty: Bool { entries.isEmpty }

  init(from first: SchemaState, to second: SchemaState) {
    entries = []
    for (key, lines) in first.objects where second.objects[key] == nil {
      entries.append(Entry(change: .removed, what: Self.words(key, lines), isEnumLabel: false))
    }
    for (key, lines) in second.objects {
      guard let before = first.objects[key] else {
        entries.append(Entry(change: .added, what: Self.words(key, lines), isEnumLabel: false))
        continue
      }
      guard before != lines else { continue }
      let isEnum = key.kind == .enumType
      var found = false
      for (change, ours, theirs) in [
        (Change.removed, before, lines), (Change.added, lines, before),
      ] {
        for line in Self.subtract(theirs, from: ours, isEnum) {
          found = true
          entries.append(
            Entry(
              change: change, what: "\(key.words): \(line)",
              isEnumLabel: isEnum && line.hasPrefix("'")))
        }
      }
      // The same lines in another order, where the order means something.
      if !found {
        entries.append(
          Entry(change: .added, what: "\(key.words) in another order", isEnumLabel: false))
      }
    }
    entries.sort { ($0.what, $0.change.rawValue) < ($1.what, $1.change.rawValue) }
  }

  /// What is left of some lines when others are taken away.
  private static func subtract(_ others: [SQLText], from lines: [SQLText], _ isEnum: Bool)
    -> [String]
  {
    func plain(_ line: SQLText) -> String {
      let text = line.string
      return isEnum && text.hasSuffix(",") ? String(text.dropLast()) : text
    }
    var counts: [String: Int] = [:]
    for line in others { counts[plain(line), default: 0] += 1 }
    return lines.map(plain).filter { line in
      guard let count = counts[line], count > 0 else { return true }
      counts[line] = count - 1
      return false
    }
  }

  /// Objects whose name does not say it all are told by what they do.
  private static func words(_ key: SchemaState.Key, _ lines: [SQLText]) -> String {
    switch key.kind {
    case .privileges, .columnDefault, .rowSecurity, .sequenceOwner:
      "\(key.words): \(lines.map(\.string).joined(separator: " "))"
    default: key.words
    }
  }
}
