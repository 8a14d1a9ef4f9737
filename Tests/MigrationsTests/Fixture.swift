import ByteStream
import Foundation
import Migrations
import Postgres
import Synchronization
import TestSupport

/// A database of its own and migrations in memory.
struct Fixture: Sendable {
  let database: TemporaryDatabase
  let events = Events()
  let cancellation = Cancellation()

  init(_ major: Int = 15) throws {
    database = try TemporaryCluster.shared(major).createDatabase(named: "migrations")
  }

  init(_ database: TemporaryDatabase) { self.database = database }

  init(sameDatabaseAs other: Fixture) { database = other.database }

  /// What happened, in order, as words.
  final class Events: Sendable {
    private let log = Mutex<[String]>([])
    var all: [String] { log.withLock { $0 } }
    func add(_ text: String) { log.withLock { $0.append(text) } }
  }

  func migrator(
    url: String? = nil, _ change: (inout MigratorOptions) -> Void = { _ in }
  ) throws -> Migrator.Blocking {
    var options = MigratorOptions(toolVersion: "test")
    options.lockWait = .seconds(60)
    change(&options)
    let events = events
    let target = try ConnectionTarget(url ?? database.url)
    return Migrator(target, options, cancellation: cancellation) { event in
      switch event {
      case .waitingForLock(let holder): events.add("waiting for \(holder.applicationName)")
      case .warning(let text): events.add("warning \(text)")
      case .finished(let done): events.add("\(done.step.direction) \(done.step.title)")
      case .blocked(_, let blocked): events.add("\(blocked)")
      case .retrying(let step, _, _): events.add("retrying \(step.title)")
      case .progress(_, let progress):
        events.add("progress \(progress.phase) \(progress.percent.map(String.init) ?? "")")
      case .notice(let message): events.add("notice \(message.message)")
      default: break
      }
    }.blocking
  }

  /// `["1_a": ("up", "down")]` as files.
  static func files(_ pairs: KeyValuePairs<String, (String, String)>) throws -> MigrationFiles {
    try MigrationFiles(
      files: pairs.flatMap { name, texts in
        [
          ("\(name).up.sql", Array(texts.0.utf8)), ("\(name).down.sql", Array(texts.1.utf8)),
        ]
      })
  }

  /// Versioned files and others, by whole names.
  static func files(named files: KeyValuePairs<String, String>) throws -> MigrationFiles {
    try MigrationFiles(files: files.map { ($0.key, Array($0.value.utf8)) })
  }

  func tables() throws -> [String] {
    try database.psql(
      "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        + "ORDER BY 1"
    ).split(separator: "\n").map(String.init)
  }
}

func version(_ text: String) throws -> MigrationVersion {
  guard let version = MigrationVersion(text) else { throw TestSupportError("no version: \(text)") }
  return version
}

/// Runs `body` and gives back the error that it throws.
func failure(_ body: () throws -> Void) throws -> MigrationsError {
  do {
    try body()
  } catch let error as MigrationsError { return error }
  throw TestSupportError("nothing was thrown")
}
