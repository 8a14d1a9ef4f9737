/// Whether the files and the history tell the same story.
public struct Verification: Sendable {
  public struct Finding: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
      /// An applied migration's up file has changed.
      case changed
      /// An applied migration's down file differs from what `down` would run.
      case downChanged
      /// An applied migration has no file.
      case missing
      /// A file is not applied, and older than the newest applied one.
      case outOfOrder
      /// A migration without a transaction stopped half way.
      case unfinished
      /// A file is not applied; a finding only where everything has to be.
      case pending
      /// The database is not what the last migration left.
      case databaseDiffers
    }

    public var kind: Kind
    public var title: String
    /// What to do about it.
    public var advice: String
  }

  public var findings: [Finding]
  public var isClean: Bool { findings.isEmpty }

  /// - Parameter wantsAllApplied: whether a pending migration is a finding too.
  public init(_ status: MigrationStatus, wantsAllApplied: Bool = false) {
    findings = []
    for line in status.lines {
      switch line.state {
      case .changed:
        add(
          .changed, line,
          "put the file back as it was and make a new migration for the change; or, if the change "
            + "is right, migrate repair \(line.version?.text ?? line.name) --applied")
      case .missing:
        add(.missing, line, "restore the file, or take it back with migrate down")
      case .unfinished: add(.unfinished, line, "run migrate up again")
      case .pending where line.isOutOfOrder:
        add(.outOfOrder, line, "give it a new version, or run migrate up --out-of-order allow")
      case .pending where wantsAllApplied: add(.pending, line, "run migrate up")
      case .pending, .applied: break
      }
      if line.isDownChanged {
        add(
          .downChanged, line,
          "down runs what was stored; to store the file's text: migrate repair "
            + "\(line.version?.text ?? line.name) --applied")
      }
    }
  }

  /// Adds what was changed by hand.
  mutating func add(_ drift: SchemaDrift) {
    findings += drift.words.map {
      Finding(
        kind: .databaseDiffers, title: $0,
        advice: "see migrate diff; make a migration of it or undo it, then migrate diff --accept")
    }
  }

  private mutating func add(
    _ kind: Finding.Kind, _ line: MigrationStatus.Line, _ advice: String
  ) {
    findings.append(Finding(kind: kind, title: line.title, advice: advice))
  }
}
