import PhysicalBackup
import ToolSupport

/// Base backups as JSON.
enum PhysicalRendering {
  static func json(_ manifest: BaseManifest) -> JSONValue {
    [
      "id": .string("\(manifest.id)"),
      "system_identifier": .string(manifest.server.systemIdentifier),
      "server_version": .string(manifest.server.version),
      "timeline": .integer(Int(manifest.timeline)),
      "start": .string(manifest.start),
      "end": .string(manifest.end),
      "size": .integer(manifest.size),
      "plain_size": .integer(manifest.plainSize),
      "includes_wal": .bool(manifest.includesWAL),
      "tablespaces": .array(manifest.tablespaces.map { .string($0.location) }),
      "started": .string("\(manifest.started)"),
      "finished": .string("\(manifest.finished)"),
    ]
  }
}
