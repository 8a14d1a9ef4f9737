import ArgumentParser
import ByteStream
import Glibc
import PhysicalBackup

/// What `restore wal-fetch` leaves behind to fetch the segments that come next.
struct WALPrefetchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wal-prefetch", abstract: "Fetch segments before they are asked for.",
    shouldDisplay: false)

  /// Seconds for one segment; a store that takes longer is no help.
  private static let limit: UInt32 = 120

  @Option var config: String

  func run() throws {
    BackgroundProgram.detach()
    // Nobody watches this process: it ends by itself, whatever it hangs in.
    alarm(Self.limit)
    let cancellation = Cancellation()
    let configuration = try FetchConfiguration(readingFile: config)
    try WALPrefetch(
      configuration.openStore(cancellation), environment: configuration.environment,
      systemIdentifier: configuration.systemIdentifier, into: FetchCommand.spool(config: config)
    )?.run(cancellation: cancellation) { alarm(Self.limit) }
  }
}
