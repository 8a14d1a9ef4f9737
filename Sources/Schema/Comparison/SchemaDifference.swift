import Postgres

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
    /// `table public.orders`, `column public.orders.note: note text`.
    public var what: String
    /// Whether it is a label of an enum type, which PostgreSQL cannot take away.
    public var isEnumLabel: Bool

    public init(change: Change, what: String, isEnumLabel: Bool = false) {
      self.change = change
      self.what = what
      self.isEnumLabel = isEnumLabel
    }
  }

  /// By what they are about.
  public private(set) var entries: [Entry] = []
  /// Tables whose columns stand in another order, which is no difference by itself.
  public private(set) var moved: [String] = []
  public var isEmpty: Bool { entries.isEmpty }

  public init(from first: SchemaState, to second: SchemaState) {
    for object in first.objects where second[object.key] == nil {
      entries.append(Entry(change: .removed, what: Self.words(object)))
    }
    for object in second.objects {
      guard let before = first[object.key] else {
        entries.append(Entry(change: .added, what: Self.words(object)))
        continue
      }
      if before.sql != object.sql { compare(before, object) }
    }
    entries.sort { ($0.what, $0.change.rawValue) < ($1.what, $1.change.rawValue) }
    moved.sort()
  }

  private mutating func compare(_ before: SchemaState.Object, _ after: SchemaState.Object) {
    let key = after.key
    let parts = (before.parts, after.parts)
    guard parts.0.comparable != parts.1.comparable else { return moved.append(key.words) }
    var found = false
    for (change, ours, theirs) in [
      (Change.removed, parts.0, parts.1), (Change.added, parts.1, parts.0),
    ] {
      for element in Self.subtract(theirs.elements, from: ours.elements) {
        found = true
        let column = key.kind.isTable ? ObjectParts.columnName(element) : nil
        entries.append(
          Entry(
            change: change,
            what: column.map { "column \(Self.qualified(key)).\($0): \(element)" }
              ?? "\(key.words): \(element)",
            isEnumLabel: key.kind == .enumType))
      }
      for line in Self.subtract([theirs.head] + theirs.tail, from: [ours.head] + ours.tail) {
        found = true
        entries.append(Entry(change: change, what: "\(key.words): \(line)"))
      }
    }
    // The same lines in another order, where the order means something.
    if !found { entries.append(Entry(change: .added, what: "\(key.words) in another order")) }
  }

  /// What is left of some lines when others are taken away, each as often as it is there.
  private static func subtract(_ others: [SQLText], from lines: [SQLText]) -> [SQLText] {
    var counts: [SQLText: Int] = [:]
    for line in others { counts[line, default: 0] += 1 }
    return lines.filter { line in
      guard let count = counts[line], count > 0 else { return true }
      counts[line] = count - 1
      return false
    }
  }

  private static func qualified(_ key: SchemaState.Key) -> String {
    key.schema.map { "\($0).\(key.name)" } ?? key.name.string
  }

  /// Objects whose name does not say it all are told by what they do.
  private static func words(_ object: SchemaState.Object) -> String {
    switch object.key.kind {
    case .privileges, .columnDefault, .rowSecurity, .sequenceOwner, .defaultPrivileges:
      let lines = object.sql.bytes.split(separator: 0x0A).map { SQLText(bytes: $0).string }
      return "\(object.key.words): \(lines.joined(separator: " "))"
    default: return object.key.words
    }
  }
}
