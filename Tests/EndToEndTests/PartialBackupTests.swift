import Foundation
import TestSupport
import Testing

/// Backups of a part of a database are never taken for whole ones.
@Suite struct PartialBackupTests {
  @Test func aPartIsMarkedListedAndNotTheLatest() throws {
    let cluster = try TemporaryCluster.shared(15)
    let source = try cluster.createDatabase(named: "shop")
    defer { try? source.drop() }
    try source.psql(
      """
      CREATE TABLE orders AS SELECT i FROM generate_series(1, 10) i;
      CREATE TABLE big AS SELECT i FROM generate_series(1, 20) i;
      """)
    let store = try TestDirectory()
    let backup = Tool.backup.with([
      "DATABASE_URL": source.url, "BACKUP_STORE": "file://" + store.path,
    ])
    let part = try backup("run", "--table", "orders", "--no-owner", "--json")
    #expect(part.code == 0, "\(part.errorText)")
    let facts = try part.json()
    #expect(facts["partial"] as? Bool == true)
    #expect(facts["selection"] as? [String] == ["only tables orders", "without owners"])
    let id = try #require(facts["id"] as? String)

    let copy = TemporaryDatabase(cluster: cluster, name: TemporaryCluster.uniqueName("copy"))
    let restore = Tool.restore.with([
      "RESTORE_URL": copy.url, "BACKUP_STORE": "file://" + store.path,
    ])
    let nothing = try restore("latest")
    #expect(nothing.code != 0)
    #expect(nothing.errorText.contains("holds a part of the database only"))
    let list = try backup("list")
    #expect(list.text.contains("partial (only tables orders; without owners)"), "\(list.text)")
    #expect(try backup("show", id).text.contains("only tables orders"))

    // A whole one is the latest, though a partial one is newer.
    let whole = try #require(try backup("run", "--json").json()["id"] as? String)
    #expect(try backup("run", "--exclude-table-data", "big").code == 0)
    let done = try restore("latest", "--verify", "--json")
    #expect(done.code == 0, "\(done.errorText)")
    #expect(try done.json()["backup"] as? String == whole)
    let refused = try restore(id, "--replace")
    #expect(refused.code == 2, "\(refused.errorText)")
    #expect(refused.errorText.contains("--partial"))
    #expect(try copy.psql("SELECT count(*) FROM big") == "20")
    try copy.drop()

    let told = try restore("latest", "--partial")
    #expect(told.code == 0, "\(told.errorText)")
    #expect(told.text.contains("without the rows of big"))
    #expect(try copy.psql("SELECT count(*) FROM big") == "0")
    try copy.drop()

    let misspelt = try backup("run", "--table", "ordres")
    #expect(misspelt.code == 2)
    #expect(misspelt.errorText.contains("No table matches ordres"))
    #expect(try backup("run", "--schema-only", "--data-only").code == 2)
  }
}
