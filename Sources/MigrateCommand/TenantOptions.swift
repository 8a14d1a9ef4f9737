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

  /// Runs `body` once, or once for each schema; gives what it gave with the schemas' names.
  func forEach<Element>(
    _ migrator: Migrator.Blocking, _ run: Run, _ body: (Migrator.Blocking) throws -> Element
  ) throws -> [(schema: String?, result: Element)] {
    guard let eachSchema else { return [(nil, try body(migrator))] }
    return try migrator.tenants(matching: eachSchema).map { tenant in
      run.say("schema \(tenant.schema)\n")
      return (tenant.schema, try body(tenant.migrator))
    }
  }
}

extension JSONValue {
  /// An object with the schema's name in front, where there is one.
  func named(_ schema: String?) -> JSONValue {
    guard let schema, case .object(let members) = self else { return self }
    return .object([.init("schema", .string(schema))] + members)
  }
}
