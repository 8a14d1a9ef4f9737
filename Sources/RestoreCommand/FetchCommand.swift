import Age
import Glibc
import ObjectStore
import PhysicalBackup
import ToolSupport

/// The `restore_command` of a restored cluster: this program, with a file that says where the
/// archive is.
enum FetchCommand {
  /// Writes the file with the store's keys, and gives the command that names it.
  ///
  /// - Parameters:
  ///   - folder: where the file goes; made when it is not there.
  ///   - owner: whose the file becomes, when this process is root.
  static func make(
    _ run: Run, _ store: StoreOptions, _ catalog: PhysicalCatalog, identities: [AgeIdentity],
    folder: String, owner: String?
  ) throws -> String {
    let file = folder + "/wal-fetch.json"
    let configuration = FetchConfiguration(
      environment: run.environmentName, systemIdentifier: catalog.layout.systemIdentifier,
      hasArchive: catalog.archive != nil,
      settings: FetchConfiguration.settings(run.configuration.environment, store),
      // What is physical is encrypted to keys only.
      identities: identities.filter { $0.isKey }.map(\.secretText))
    try ClusterRestore.writePrivate(file, try configuration.encoded, owner: owner)
    try spool(folder).make(owner: owner)
    let own = try ownPath()
    func quoted(_ text: String) -> String {
      // PostgreSQL takes %% for a percent sign, and a shell reads the rest.
      "'"
        + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        .split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%") + "'"
    }
    return "\(quoted(own)) wal-fetch --config \(quoted(file)) %f %p"
  }

  /// Where segments are fetched to beforehand, beside the file with the keys.
  static func spool(_ folder: String) -> WALSpool { WALSpool(path: folder + "/wal-spool") }

  /// The spool that belongs to a file with keys.
  static func spool(config: String) -> WALSpool {
    let folder = config.lastIndex(of: "/").map { String(config[..<$0]) } ?? "."
    return spool(folder.isEmpty ? "/" : folder)
  }

  private static func ownPath() throws -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { raw in
      raw.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink("/proc/self/exe", $0, text.count) } ?? -1
      }
    }
    guard count > 0 else {
      throw ErrorReport(.failed, code: "local", "This program's own path is unknown.")
    }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}
