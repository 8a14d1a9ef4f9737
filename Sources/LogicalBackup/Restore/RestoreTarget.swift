public import Postgres

/// A database while a restore fills it: not yet to be seen as whole by anybody.
///
/// Calls block. One thread uses it.
public protocol RestoreTarget: AnyObject {
  /// Where to connect to fill it.
  var connectionTarget: ConnectionTarget { get }
  /// Statements to run first in every transaction that makes objects; empty when none.
  var transactionPrefix: SQLText { get }
  /// What a person should know of how it was made: an owner that was not to be had, what was
  /// left over from a killed run.
  var notes: [String] { get }

  /// Makes the database visible as whole, under its own name. No connection to it may be open.
  ///
  /// - Throws: ``LogicalBackupError/Code/notSwitched`` when what was restored is whole, but stands
  ///   under another name, which the message gives.
  func complete() throws
  /// Removes what was made, as far as that is possible in a few seconds; the rest is removed by
  /// the next restore into the same place. Never throws: it follows another failure.
  func abandon()
}
