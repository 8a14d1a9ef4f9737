/// Something that a rehearsal found out about a migration.
public struct RehearsalFinding: Hashable, Sendable {
  /// Stable names, for `-- pgkeep: allow NAME REASON`.
  public enum Name: String, CaseIterable, Hashable, Sendable {
    /// After up and down the schema is not what it was before.
    case downDiffers = "down-differs"
    /// After up, down and up the schema is not what it was after the first up.
    case upDiffers = "up-differs"
    /// The down fails.
    case downFails = "down-fails"
    /// The second up fails.
    case upFailsAgain = "up-fails-again"
    /// A label that the up added to an enum type is still there after the down.
    case enumLabelLeft = "enum-label-left"
    /// After up and down a table's columns stand in another order; a note.
    case columnMoved = "column-moved"
    /// An existing table is written anew while nobody may read it.
    case tableRewrite = "table-rewrite"
    /// An index of an existing table is built anew.
    case indexRebuild = "index-rebuild"
    /// An index is built on an existing table while nobody may write to it.
    case blockingIndex = "blocking-index"
    /// An existing table is read from end to end while it is locked.
    case scanUnderLock = "scan-under-lock"
    /// Nobody may read an existing table until the migration ends.
    case blocksReads = "blocks-reads"
    /// Nobody may write to an existing table until the migration ends.
    case blocksWrites = "blocks-writes"
    /// A table is gone: the release that still runs may use it.
    case tableDropped = "table-dropped"
    /// A column is gone or renamed: the release that still runs may use it.
    case columnDropped = "column-dropped"
    /// A view is gone or renamed: the release that still runs may use it.
    case viewDropped = "view-dropped"
    /// A table loses all of its rows.
    case tableEmptied = "table-emptied"
    /// Rows of a whole table are changed in one transaction.
    case backfill
    /// A column that is there may be null from now on: the release that still runs may not expect
    /// that.
    case notNullDropped = "not-null-dropped"
    /// A new column of an existing table wants a value and gets none: fails where there are rows,
    /// and so does each insert of the release that still runs.
    case requiredColumn = "required-column"
    /// A type that has its traps; a note.
    case columnType = "column-type"
  }

  public var name: Name
  public var file: String
  /// The statement's; nil when the whole file is meant.
  public var line: Int?
  public var message: String
  /// The safer way.
  public var advice: String
  /// Whether the table is known to be small, so that what takes long elsewhere is over at once here.
  public var isSmall = false
  /// Why a directive silences it; nil when none does.
  public var silencedBecause: String?

  /// Whether it is no more than a note: nothing that a strict rehearsal fails for.
  public var isNote: Bool {
    switch name {
    case .columnMoved, .columnType: return true
    case .tableRewrite, .indexRebuild, .blockingIndex, .scanUnderLock, .backfill: return isSmall
    default: return false
    }
  }

  /// Whether the migration is wrong, not only costly.
  public var isError: Bool {
    guard silencedBecause == nil else { return false }
    switch name {
    case .downDiffers, .upDiffers, .downFails, .upFailsAgain, .enumLabelLeft: return true
    default: return false
    }
  }
}
