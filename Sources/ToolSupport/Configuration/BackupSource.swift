public import Age
import Glibc
public import LogicalBackup
import Logging
public import Repository

/// A backup to restore, as the command line says it.
public enum BackupSource: Sendable {
  case file(LogicalFileReader)
  /// One of a store, that a prune shall leave while it is read.
  case stored(LogicalFileReader, BackupRepository, BackupNames)
  /// With what opens it, when it is encrypted.
  case standardInput([AgeIdentity])

  /// Text with a slash or a dot is a path: no backup's ID has one.
  ///
  /// - Parameters:
  ///   - isPartialWelcome: whether `latest` may be a backup of a part of a database.
  ///   - opening: what opens it when it is encrypted.
  public init(
    _ text: String, database: String?, isPartialWelcome: Bool = false, store: StoreOptions,
    opening: OpeningOptions, _ run: Run
  ) throws {
    let identities = try run.configuration.ageIdentities(opening)
    if text == "-" {
      self = .standardInput(identities)
    } else if text.contains("/") || text.contains(".") {
      self = .file(try LogicalFileReader(path: text).decrypted(with: identities))
    } else {
      let repository = try run.openRepository(store)
      let entry = try repository.catalog(database: database, cancellation: run.cancellation)
        .resolve(text, database: database, isPartialWelcome: isPartialWelcome)
      guard case .complete(let manifest) = entry.state, let key = entry.dataKey else {
        throw ErrorReport(
          .verificationFailed, code: "damaged",
          "The backup \(entry.id) of \(entry.database) cannot be restored: "
            + "\(entry.problem ?? "its object is missing"). Choose another one: backup list.")
      }
      let file = try LogicalFileReader(
        key, size: manifest.object.size, in: repository.store, cancellation: run.cancellation
      ).decrypted(with: identities)
      self = .stored(file, repository, entry.names)
    }
  }

  public var name: String {
    switch self {
    case .file(let file), .stored(let file, _, _): file.name
    case .standardInput: "standard input"
    }
  }

  public func restore(by restorer: LogicalRestorer, _ run: Run) throws -> RestoreReport {
    try reading(run) {
      switch self {
      case .file(let file), .stored(let file, _, _): try restorer.restore(file)
      case .standardInput(let identities):
        try restorer.restore(
          PipeSource(STDIN_FILENO, name: name), name: name, identities: identities)
      }
    }
  }

  /// Reads it; one of a store while no prune deletes it.
  public func reading<Value>(_ run: Run, _ body: () throws -> Value) throws -> Value {
    guard case .stored(_, let repository, let names) = self else { return try body() }
    return try run.reading(names, of: repository, body)
  }
}
