public import Age
public import ByteStream
import Gzip
import ObjectStore
public import Postgres
public import Repository

/// Takes a backup of a cluster's roles and tablespaces into a repository: the object, then the
/// manifest. Blocks the calling thread.
public struct GlobalsTaker: Sendable {
  private let target: ConnectionTarget
  private let repository: BackupRepository
  private let recipients: [AgeRecipient]
  private let role: String?
  private let tool: String
  private let cancellation: Cancellation

  /// - Parameters:
  ///   - target: any database of the cluster.
  ///   - recipients: whom the object is encrypted to; nobody when empty.
  ///   - role: one to read as, or nil.
  ///   - tool: the version of the tool, for the manifest.
  public init(
    _ target: ConnectionTarget, into repository: BackupRepository, recipients: [AgeRecipient],
    role: String?, tool: String, cancellation: Cancellation
  ) {
    self.target = target
    self.repository = repository
    self.recipients = recipients
    self.role = role
    self.tool = tool
    self.cancellation = cancellation
  }

  /// - Returns: the manifest, which is in the store when this returns. Its `passwords` is false when
  ///   the role may not read them.
  public func take() throws -> GlobalsManifest {
    let started = UTCTime.now()
    var profile = SessionProfile.data
    if let role { profile.settings.append(("role", role)) }
    let connection = try Connection(
      target, ConnectionOptions(applicationName: LogicalExporter.applicationName, profile: profile),
      cancellation: cancellation)
    defer { connection.close() }
    let server = try ServerFacts.read(connection)
    let globals = try Globals(connection)
    let encoding = connection.reportedParameter("server_encoding") ?? "UTF8"
    let text = Self.text(globals, started, encoding)
    let packed = Block(capacity: max(4096, text.bytes.count / 4))
    try MemberCompressor(.fast).compress(text.bytes, into: packed)

    let names = try repository.newGlobals(
      systemIdentifier: server.systemIdentifier, at: started)
    let key = names.dataKey(encrypted: !recipients.isEmpty)
    let sink = try HashingSink(
      try repository.store.writer(
        key, options: .init(expectedSize: packed.count + 1024, cancellation: cancellation)))
    let outer: any ByteSink = recipients.isEmpty ? sink : try AgeSink(to: recipients, into: sink)
    do {
      try outer.write(UnsafeRawBufferPointer(packed.bytes))
      try outer.finish()
    } catch {
      outer.abort()
      throw error
    }
    let manifest = GlobalsManifest(
      names: names, tool: tool,
      server: .init(
        version: connection.reportedParameter("server_version") ?? "",
        versionNumber: connection.serverVersion, systemIdentifier: server.systemIdentifier),
      started: started, finished: .now(),
      object: .init(
        name: String(key.split(separator: "/").last ?? ""), size: sink.count, sha256: sink.sha256,
        plainSize: packed.count, indexOffset: 0, encryption: recipients.isEmpty ? nil : "age"),
      roles: globals.roles.map(\.string), tablespaces: globals.tablespaces.map(\.string),
      passwords: globals.hasPasswords)
    try repository.writeManifest(manifest)
    return manifest
  }

  private static func text(_ globals: Globals, _ started: UTCTime, _ encoding: String) -> SQLText {
    var text: SQLText = """
      --
      -- Roles and tablespaces, \(SQLText(started.description)), by pgkeep
      \(globals.hasPasswords ? "-- With the roles' passwords, as hashes." : withoutPasswords)
      --
      -- Restore with pgkeep, or: gunzip -c FILE | psql -X -d postgres
      --

      SET client_encoding = \(SQLText(encoding).quotedLiteral);
      SET standard_conforming_strings = on;


      """
    for statement in globals.statements { text += statement }
    return text
  }

  private static let withoutPasswords: SQLText =
    "-- Without passwords: the role that read them may not read pg_authid."
}
