import ArgumentParser
import Migrations
import ToolSupport

/// For databases whose tenants have a schema each.
struct TenantOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The migrations' search_path: one or more schemas, with commas.", valueName: "schemas"))
  var schemaSearchPath: String?

  @Option(
    help: ArgumentHelp(
      "Do it in each schema whose name matches, each with a history of its own.",
      valueName: "pattern"))
  var eachSchema: String?

  var searchPath: [String]? {
    schemaSearchPath?.split(separator: ",").map { name in
      String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Runs `body` once, or once for each schema, and joins what it gives.
  func forEach<Element>(
    _ migrator: Migrator.Blocking, _ run: Run, _ body: (Migrator.Blocking) throws -> [Element]
  ) throws -> [Element] {
    guard let eachSchema else { return try body(migrator) }
    return try migrator.tenants(matching: eachSchema).flatMap { tenant in
      run.say("schema \(tenant.schema)\n")
      return try body(tenant.migrator)
    }
  }
}
