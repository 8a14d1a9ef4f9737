import ObjectStore
import Repository
import ToolSupport

/// What `backup run` says at its end.
struct BackupSummary {
  private let manifest: Manifest

  private let globals: GlobalsManifest?

  init(_ manifest: Manifest, globals: GlobalsManifest? = nil) {
    self.manifest = manifest
    self.globals = globals
  }

  private var took: Duration {
    .milliseconds(manifest.finished.milliseconds - manifest.started.milliseconds)
  }

  private var textBytes: Int { manifest.tables.reduce(0) { $0 + $1.bytes } }

  func text(place: String) -> String {
    (globals.map { "\(GlobalsRendering.sentence($0))\n" } ?? "") + """
      Backed up \(manifest.database) as \(manifest.id)
      in \(place): \(Humane.plural(manifest.rows, "row")) in \
      \(Humane.plural(manifest.tables.count, "table")), \(Humane.size(textBytes)) of rows in \
      \(Humane.size(manifest.object.size)), in \(Humane.duration(took)).

      """
      + (manifest.options.partial ? "A part of the database, not all of it:\n" : "")
      + manifest.options.selection.map { "Note: \($0)\n" }.joined()
  }

  var json: JSONValue {
    [
      "id": .string(manifest.id.description),
      "database": .string(manifest.database),
      "environment": .string(manifest.environment),
      "key": .string(manifest.names.dataKey(encrypted: manifest.object.encryption != nil)),
      "bytes": .integer(manifest.object.size),
      "text_bytes": .integer(textBytes),
      "tables": .integer(manifest.tables.count),
      "rows": .integer(manifest.rows),
      "sequences": .integer(manifest.sequences),
      "large_objects": .integer(manifest.largeObjects),
      "sha256": .string(manifest.object.sha256),
      "globals": globals.map(GlobalsRendering.json) ?? .null,
      "partial": .bool(manifest.options.partial),
      "migration": JSONValue(manifest.migration),
      "selection": .array(manifest.options.selection.map { .string($0) }),
      "duration_ms": .integer(Int(took / .milliseconds(1))),
    ]
  }

  /// The facts for logs, metrics and alerts.
  func note(_ run: Run) {
    run.note("database", .string(manifest.database))
    run.note("id", .string(manifest.id.description))
    run.note("bytes", .integer(manifest.object.size))
    run.note("text_bytes", .integer(textBytes))
    run.note("rows", .integer(manifest.rows))
    run.note("tables", .integer(manifest.tables.count))
  }
}
