import ObjectStore
import Postgres
import Repository
import ToolSupport

/// Whether the store has a backup that is fresh enough to drop something.
enum BackupCheck {
  /// What ``MigratorOptions/backupRefusal`` asks. The store is opened now, so that a wrong setting
  /// is said before anything is done, and read when it matters.
  static func refusal(
    _ target: ConnectionTarget, _ limit: TimeOption, _ options: StoreOptions, _ run: Run
  ) throws -> @Sendable () throws -> String? {
    let repository = try run.openRepository(options)
    let cancellation = run.cancellation
    let database = target.database ?? ""
    return {
      let entries = try repository.catalog(database: database, cancellation: cancellation).entries
      let newest = entries.filter { $0.isWhole && $0.database == database }
        .compactMap(\.manifest?.started).max()
      guard let newest else {
        return "\(repository.store.description) holds no whole backup of \(database)."
      }
      let age = UTCTime.now().seconds(since: newest)
      guard age * 1000 > Double(limit.milliseconds) else { return nil }
      return "the newest whole backup of \(database) is of \(Humane.ago(newest)) "
        + "(--require-backup \(limit))."
    }
  }
}
