/// One row of the ledger that migrations without a transaction keep.
struct LedgerEvent: Hashable {
  enum Kind: String {
    case started, done, failed
  }

  /// Which statement of the script, from 1.
  let ordinal: Int
  let kind: Kind
  /// SHA-256 over the statement's text, in hexadecimal.
  let checksum: String
  /// The server process that ran it.
  let processID: Int?
  let error: String?
}
