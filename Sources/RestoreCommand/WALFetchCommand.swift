import ArgumentParser
import ByteStream
import PhysicalBackup
import ToolSupport

/// What PostgreSQL runs as `restore_command`.
///
/// Not a ``ToolCommand``: its exit codes are PostgreSQL's. 1 says that there is no such file, and
/// may end recovery; 126 is every other failure, and stops the server instead.
struct WALFetchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wal-fetch", abstract: "Give PostgreSQL one WAL file (restore_command).",
    discussion: """
      restore_command = 'restore wal-fetch --config FILE %f %p'

      Exits with 1 when the archive has no such file, and with 126 when it could not find out.
      """)

  @Argument(help: ArgumentHelp("The file's name (%f).", valueName: "name"))
  var name: String
  @Argument(help: ArgumentHelp("Where to put it (%p).", valueName: "path"))
  var path: String
  @Option(
    help: ArgumentHelp("The file that \"restore cluster\" has written.", valueName: "file"))
  var config: String

  @Flag(help: "Do not fetch the segments that come next meanwhile.")
  var noPrefetch = false

  func run() throws {
    let outcome: WALFetch.Outcome
    let spool = FetchCommand.spool(config: config)
    do {
      let configuration = try FetchConfiguration(readingFile: config)
      let cancellation = Cancellation()
      if !noPrefetch, spool.take(name, to: path) {
        startPrefetch(spool)
        return
      }
      let store = try configuration.openStore(cancellation)
      outcome = try WALFetch(
        store, environment: configuration.environment,
        systemIdentifier: configuration.systemIdentifier, hasArchive: configuration.hasArchive
      ).fetch(name, to: path, cancellation: cancellation)
    } catch {
      Diagnostics.write("restore wal-fetch \(name): \(error)")
      throw ExitCode(126)
    }
    switch outcome {
    case .notThere: throw ExitCode(1)
    case .fetched(let isWhole): if isWhole, !noPrefetch { startPrefetch(spool) }
    }
  }

  /// Another process goes on fetching while PostgreSQL replays what it was given.
  private func startPrefetch(_ spool: WALSpool) {
    guard spool.note(name), spool.wantsMore(after: name) else { return }
    // Without it recovery is slower, and nothing else.
    _ = BackgroundProgram.startSelf(["wal-prefetch", "--config", config])
  }
}
