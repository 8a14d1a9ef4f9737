import Postgres

/// Who may do what with an object, and what was so before anybody granted or revoked anything.
struct Privileges: Sendable {
  /// What stands between `ON` and `TO`: `TABLE public.t`.
  var target: SQLText
  /// Which privileges there are for the kind: decides what is written as `ALL`.
  var kind: PrivilegeKind
  var owner: SQLText
  /// The access control list, nil when nothing was ever granted or revoked.
  var granted: SQLText?
  /// What the list starts from.
  var initial: SQLText?
  /// Columns with lists of their own.
  var columns: [(name: SQLText, granted: SQLText)] = []
  /// What the columns' lists start from; columns begin with none.
  var initialColumn: SQLText?

  /// The roles that the statements name.
  var roles: Set<SQLText> {
    var roles: Set<SQLText> = []
    for list in [granted, initial].compactMap({ $0 }) + columns.map(\.granted) {
      for item in AccessItem.items(list) {
        if !item.grantee.isEmpty { roles.insert(item.grantee) }
        roles.insert(item.grantor)
      }
    }
    return roles
  }

  /// `REVOKE` and `GRANT` statements that lead from the initial state to the present one; empty
  /// when nothing differs.
  ///
  /// Grants keep the order of the list, in which the server put them as they were made, so that a
  /// grant by somebody who was granted the option comes after that one.
  func sql(version: Int) -> SQLText {
    var sql = SQLText()
    if let granted {
      sql += Self.statements(
        from: initial ?? "{}", to: granted, target: target, owner: owner, prefix: "",
        names: { kind.names($0, version: version, column: nil) })
    }
    for column in columns {
      sql += Self.statements(
        from: initialColumn ?? "{}", to: column.granted, target: target, owner: owner, prefix: "",
        names: { kind.names($0, version: version, column: column.name) })
    }
    return sql
  }

  static func statements(
    from initial: SQLText, to granted: SQLText, target: SQLText, owner: SQLText, prefix: SQLText,
    names: (String) -> SQLText
  ) -> SQLText {
    var sql = SQLText()
    let before = AccessItem.items(initial)
    let after = AccessItem.items(granted)
    for item in before where !after.contains(item) {
      let all = names(item.letters)
      sql += "\(prefix)REVOKE \(all) ON \(target) FROM \(item.granteeName);\n"
    }
    for item in after where !before.contains(item) {
      var grants = SQLText()
      if !item.plain.isEmpty {
        grants += "\(prefix)GRANT \(names(item.plain)) ON \(target) TO \(item.granteeName);\n"
      }
      if !item.withOption.isEmpty {
        grants += """
          \(prefix)GRANT \(names(item.withOption)) ON \(target) TO \(item.granteeName) \
          WITH GRANT OPTION;

          """
      }
      if item.grantor == owner || grants.isEmpty {
        sql += grants
      } else {
        sql += "SET ROLE \(item.grantor.quotedIdentifier);\n\(grants)RESET ROLE;\n"
      }
    }
    return sql
  }
}
