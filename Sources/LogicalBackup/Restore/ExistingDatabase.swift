import Postgres

/// A database that has its schema already and gets rows, in one transaction.
final class ExistingDatabase: RestoreTarget {
  let connectionTarget: ConnectionTarget
  let transactionPrefix: SQLText = ""
  let notes: [String] = []

  init(_ target: ConnectionTarget) { connectionTarget = target }

  func complete() {}
  func abandon() {}
}
