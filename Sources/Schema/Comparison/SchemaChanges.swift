public import Postgres

/// The statements that make one schema into another, as far as they can be told from what both
/// hold. Rows are not thought of: it is a draft for a person.
public struct SchemaChanges: Sendable {
  /// In an order that runs: what goes first, then what changes and comes.
  public let statements: [SQLText]
  /// Changes that have no statement here, in words.
  public let byHand: [String]

  public init(from first: SchemaState, to second: SchemaState) throws {
    var writer = ChangeWriter()
    for object in first.objects.reversed() where second[object.key] == nil {
      try writer.drop(object)
    }
    for object in second.objects {
      if let before = first[object.key] {
        try writer.change(before, into: object)
      } else {
        writer.statements += try ChangeWriter.statements(object.sql)
      }
    }
    statements = writer.statements
    byHand = writer.byHand
  }

  /// One text, with what is left to do by hand as comments.
  public var text: SQLText {
    var text = SQLText()
    for statement in statements { text += statement + "\n" }
    for line in byHand {
      let words = line.split(whereSeparator: \.isNewline).joined(separator: " ")
      text += SQLText("-- by hand: \(words)\n")
    }
    return text
  }
}
