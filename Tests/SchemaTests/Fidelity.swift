import ByteStream
import Foundation
import Postgres
import Schema
import TestSupport

/// The standard that a schema's script is held to: made in an empty database, it gives a database
/// of which `pg_dump` says the same.
struct Fidelity {
  let cluster: TemporaryCluster

  init(_ major: Int) throws { cluster = try TemporaryCluster.shared(major) }

  /// The SQL of a database under `Tests/Databases`.
  static func sql(_ name: String) throws -> String {
    try String(contentsOfFile: "\(ProjectRoot.path)/Tests/Databases/\(name).sql", encoding: .utf8)
  }

  /// Makes a database from `sql`, another one from its script, and compares the two dumps.
  ///
  /// - Returns: the first lines that differ, empty when none does.
  /// - Parameter isOrdered: false for objects that need each other: pg_dump finds no order for some
  ///   of them, says so, and writes them by their OIDs.
  func difference(_ sql: String, isOrdered: Bool = true) throws -> [String] {
    let first = try cluster.createDatabase(named: "original")
    defer { try? first.drop() }
    try first.psql("SET client_min_messages = warning;\n" + sql)
    return try difference(of: first, isOrdered: isOrdered)
  }

  func difference(of first: TemporaryDatabase, isOrdered: Bool = true) throws -> [String] {
    let catalog = try Self.catalog(first.url)
    let unsupported = catalog.unsupported.map { "unsupported: \($0.what) \($0.name)" }
    guard unsupported.isEmpty else { return unsupported }
    let second = try cluster.createDatabase(named: "copy")
    defer { try? second.drop() }
    try second.psql((SchemaScript.settings + catalog.script().text).string)
    var (before, after) = try (Self.lines(first.dump(["-s"])), Self.lines(second.dump(["-s"])))
    if !isOrdered { (before, after) = (before.sorted(), after.sorted()) }
    // The script of the copy is the same too: nothing in it hangs on OIDs.
    let again = try Self.catalog(second.url).script().text
    let scripts =
      again == catalog.script().text
      ? []
      : Self.firstDifference(Self.lines(catalog.script().text.string), Self.lines(again.string))
    return Self.firstDifference(before, after) + scripts
  }

  static func catalog(_ url: String) throws -> SchemaCatalog {
    let connection = try Connection(
      ConnectionTarget(url), ConnectionOptions(applicationName: "pgkeep test"),
      cancellation: Cancellation())
    return try connection.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {
      try SchemaReader(connection, cancellation: Cancellation()).read()
    }
  }

  /// A dump without comments, empty lines and the keys of `\restrict`.
  private static func lines(_ dump: String) -> [String] {
    dump.split(separator: "\n").map(String.init).filter {
      !$0.hasPrefix("--") && !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict")
    }
  }

  private static func firstDifference(_ before: [String], _ after: [String]) -> [String] {
    let shared = zip(before, after).prefix { $0 == $1 }.count
    guard shared < max(before.count, after.count) else { return [] }
    let context = before[max(0, shared - 5)..<shared].map { "  \($0)" }
    return context + before[shared...].prefix(8).map { "- \($0)" }
      + after[min(shared, after.count)...].prefix(8).map { "+ \($0)" }
  }
}
