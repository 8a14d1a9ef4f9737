public import Postgres

/// A database's schema as it was read: its objects, what they need of each other, and the facts
/// that a backup records. A value: nothing here reaches back to the server.
public struct SchemaCatalog: Sendable {
  /// `server_version_num` of the server that it was read from.
  public let serverVersion: Int
  public let database: DatabaseFacts
  /// Tables with rows, by schema and name: ordinary tables, and configuration tables of extensions.
  public private(set) var tables: [TableData]
  /// Sequences by schema and name, without values: see `SchemaReader.readSequenceValues`.
  public private(set) var sequences: [SequenceData]
  public let extensions: [ExtensionFact]
  /// The roles that the schema's statements name, in order: owners, and who was granted what.
  /// Roles that every server has (`pg_…`) are not among them.
  public var roles: [SQLText] { roles(ScriptOptions()) }
  /// What cannot be expressed. A backup without it would lose something.
  public private(set) var unsupported: [UnsupportedObject]

  var objects: [SchemaObject]
  let aliases: [ObjectIdentity: ObjectIdentity]
  /// Roles that statements name as something other than owner or grantee.
  private let namedRoles: Set<SQLText>
  let comments: Comments
  let dependencies: [Dependency]

  init(
    serverVersion: Int, database: DatabaseFacts, contents: KindContents
  ) {
    self.serverVersion = serverVersion
    self.database = database
    comments = contents.comments
    dependencies = contents.dependencies
    objects = contents.objects
    aliases = contents.aliases
    tables = contents.tables.sorted(bySchema: \.schema, name: \.name)
    sequences = contents.sequences.sorted(bySchema: \.schema, name: \.name)
    extensions = contents.extensions.sorted { $0.name < $1.name }
    unsupported = contents.unsupported
    namedRoles = contents.roles
  }

  /// The roles that the script with these options names, in order.
  public func roles(_ options: ScriptOptions) -> [SQLText] {
    var roles = namedRoles
    for object in objects {
      if options.includesOwners, let owner = object.owner { roles.insert(owner) }
      if options.includesPrivileges, let privileges = object.privileges {
        roles.formUnion(privileges.roles)
      }
    }
    return roles.filter { !$0.hasPrefix("pg_") }.sorted()
  }

  /// The schema as statements in an order that runs. The same schema gives the same bytes.
  public func script(_ options: ScriptOptions = ScriptOptions()) -> SchemaScript {
    ScriptBuilder(self, options).script()
  }
}
