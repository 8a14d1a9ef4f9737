import ObjectStore
import Repository
import ToolSupport

/// A backup of roles and tablespaces, in `backup run` and `backup list`.
enum GlobalsRendering {
  static func sentence(_ manifest: GlobalsManifest) -> String {
    "Backed up \(contents(manifest)) as \(manifest.id)."
  }

  static func contents(_ manifest: GlobalsManifest) -> String {
    let roles = Humane.plural(manifest.roles.count, "role")
    let spaces = Humane.plural(manifest.tablespaces.count, "tablespace")
    return "\(roles) \(manifest.passwords ? "with" : "WITHOUT") passwords"
      + (manifest.passwords ? "" : " (the role may not read pg_authid)") + ", \(spaces)"
  }

  /// Lines below the list of backups; empty when there are none.
  static func text(_ manifests: [GlobalsManifest]) -> String {
    guard !manifests.isEmpty else { return "" }
    let lines = manifests.suffix(5).map { "  \($0.id)  \(contents($0))\n" }
    return "\nRoles and tablespaces (restore globals):\n" + lines.joined()
  }

  static func json(_ manifest: GlobalsManifest) -> JSONValue {
    [
      "id": .string(manifest.id.description),
      "key": .string(
        manifest.names.dataKey(encrypted: manifest.object.encryption != nil)),
      "time": .string(manifest.started.description),
      "bytes": .integer(manifest.object.size),
      "roles": .array(manifest.roles.map { .string($0) }),
      "tablespaces": .array(manifest.tablespaces.map { .string($0) }),
      "passwords": .bool(manifest.passwords),
    ]
  }
}
