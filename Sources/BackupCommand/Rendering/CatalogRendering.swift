import ObjectStore
import Repository
import ToolSupport

/// `backup list`.
enum CatalogRendering {
  static func text(_ catalog: BackupCatalog, now: UTCTime = .now()) -> String {
    var text = ""
    if catalog.entries.isEmpty {
      text += "No backups in \(catalog.place), environment \(catalog.environment).\n"
    } else {
      var table = TextTable([
        "DATABASE", "ID", "TAKEN", .number("SIZE"), .number("TABLES"), .number("ROWS"), "MIGRATION",
        "STATE",
      ])
      for entry in catalog.entries {
        table.add([
          entry.database, entry.id.description, Humane.ago(entry.id.time, now: now),
          Humane.size(entry.bytes), entry.manifest.map { Humane.count($0.tables.count) } ?? "",
          entry.manifest.map { Humane.count($0.rows) } ?? "", entry.manifest?.migration ?? "",
          EntryRendering.state(entry, now),
        ])
      }
      text += table.text
    }
    if !catalog.leftovers.isEmpty {
      text +=
        "\nNo backups, but data of runs that have not finished (prune removes it after seven "
        + "days):\n"
      var table = TextTable(["KEY", "LAST WRITTEN", .number("SIZE")])
      for leftover in catalog.leftovers {
        table.add([
          leftover.key, Humane.ago(leftover.modified, now: now), Humane.size(leftover.bytes),
        ])
      }
      text += table.text
    }
    return text
  }

  static func json(
    _ catalog: BackupCatalog, _ clusters: JSONValue, _ globals: [GlobalsManifest]
  ) -> JSONValue {
    [
      "store": .string(catalog.place),
      "environment": .string(catalog.environment),
      "backups": .array(catalog.entries.map(EntryRendering.summary)),
      "globals": .array(globals.map(GlobalsRendering.json)),
      "leftovers": .array(
        catalog.leftovers.map { leftover in
          [
            "key": .string(leftover.key), "database": .string(leftover.names.database),
            "last_written": .string(leftover.modified.description),
            "bytes": .integer(leftover.bytes),
          ]
        }),
      "clusters": clusters,
    ]
  }
}
