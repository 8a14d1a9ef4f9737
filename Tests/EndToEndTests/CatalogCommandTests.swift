import Foundation
import ObjectStore
import Repository
import TestSupport
import Testing

/// `backup list`, `backup show` and `backup prune`.
@Suite struct CatalogCommandTests {
  @Test func anEmptyStoreIsSaidToBeEmpty() throws {
    let stored = try StoredBackups()
    let backup = Tool.backup.with(stored.variables)
    let list = try backup("list")
    #expect(list.code == 0)
    #expect(list.text == "No backups in file://\(stored.directory.path), environment default.\n")
    #expect((try backup("list", "--json").json()["backups"] as? [Any])?.isEmpty == true)
    let show = try backup("show")
    #expect(show.code == 3)
    #expect(try show.errors().count == 1)
    #expect(show.text.isEmpty)
  }

  @Test func listsWhatThereIs() throws {
    let stored = try StoredBackups(environment: "production")
    let old = try stored.add("shop", daysAgo: 3)
    let new = try stored.add("shop", daysAgo: 0, rows: 2_000_000)
    try stored.add("keycloak", daysAgo: 1)
    let backup = Tool.backup.with(stored.variables).with(["ENVIRONMENT": "production"])

    let lines = try backup("list").text.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("DATABASE  ID "))
    #expect(lines[1].hasPrefix("keycloak  "))
    #expect(lines[2].hasPrefix("shop      \(old.id)  3 days ago"))
    #expect(lines[3].contains("  2,000,000  ") && lines[3].hasSuffix("  complete"))

    let json = try backup("list", "--json", "--database", "shop").json()
    let backups = try #require(json["backups"] as? [[String: Any]])
    #expect(backups.compactMap { $0["id"] as? String } == ["\(old.id)", "\(new.id)"])
    #expect(backups.allSatisfy { $0["state"] as? String == "complete" })
    #expect(backups[1]["rows"] as? Int == 2_000_000)

    // Another environment's are another's.
    #expect(try Tool.backup.with(stored.variables)("list").text.hasPrefix("No backups"))
  }

  @Test func showsOneTableByTable() throws {
    let stored = try StoredBackups()
    let names = try stored.add("shop", daysAgo: 0)
    let backup = Tool.backup.with(stored.variables)
    let text = try backup("show", "latest").text
    #expect(text.contains("backup       \(names.id)\n"))
    #expect(text.contains("shop.orders     3  90 B  00000000000000ff\n"))
    let json = try backup("show", "\(names.id)", "--json").json()
    let tables = try #require(json["table_list"] as? [[String: Any]])
    #expect(tables.first?["rows"] as? Int == 3)
    #expect(json["sequences"] as? Int == 1)

    let unknown = try backup("show", "19990101")
    #expect(unknown.code == 3)
    #expect(try unknown.errors().first?.contains("\"19990101\"") == true)
  }

  @Test func latestOfSeveralDatabasesListsThemAndStops() throws {
    let stored = try StoredBackups()
    try stored.add("shop", daysAgo: 0)
    try stored.add("keycloak", daysAgo: 0)
    let show = try Tool.backup.with(stored.variables)("show", "latest")
    #expect(show.code == 2)
    #expect(try show.errors().first?.contains("keycloak, shop") == true)
  }

  @Test func anObjectThatVanishedIsNotUsable() throws {
    let stored = try StoredBackups()
    let names = try stored.add("shop", daysAgo: 0)
    try stored.repository.store.delete(names.dataKey(encrypted: false))
    let list = try Tool.backup.with(stored.variables)("list")
    #expect(list.code == 0)
    #expect(list.text.contains("NOT USABLE"))
  }

  @Test func prunesByAgeAndNeverTheLast() throws {
    let stored = try StoredBackups()
    let old = try stored.add("shop", daysAgo: 40)
    let new = try stored.add("shop", daysAgo: 2)
    let backup = Tool.backup.with(stored.variables)

    let plan = try backup("prune", "--dry-run")
    #expect(plan.code == 0)
    #expect(plan.text.contains("delete  shop      \(old.id)"))
    #expect(plan.text.contains("keep    shop      \(new.id)"))
    #expect(try stored.repository.catalog().entries.count == 2)

    let kept = try backup("prune", "--keep-days", "60", "--json").json()
    #expect(
      (kept["plan"] as? [[String: Any]])?.contains { $0["deleted"] as? Bool == true } == false)

    let run = try backup("prune")
    #expect(run.code == 0)
    #expect(run.text.hasPrefix("Deleted 1, freed "))
    #expect(try stored.repository.catalog().entries.map(\.id) == [new.id])
    // And again: nothing to do.
    #expect(try backup("prune").text == "Nothing to delete; 1 kept.\n")
  }

  @Test func aStoreWhoseBackupsAreAllOldLosesNothing() throws {
    let stored = try StoredBackups()
    try stored.add("shop", daysAgo: 50)
    try stored.add("shop", daysAgo: 40)
    let run = try Tool.backup.with(stored.variables)("prune")
    #expect(run.code == 1)
    #expect(try run.errors().count == 1)
    #expect(try stored.repository.catalog().entries.count == 2)
  }
}
