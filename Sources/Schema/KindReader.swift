/// Reads and renders the objects of one kind, or of a few that belong together.
struct KindReader: Sendable {
  typealias Read = @Sendable (CatalogSession) throws -> KindContents

  let name: String
  /// Reads everything, or, where the kind can be cut in slices, one slice of several.
  private let readSlice:
    @Sendable (CatalogSession, _ slice: Int, _ count: Int) throws -> KindContents
  private let isSliced: Bool

  init(_ name: String, _ read: @escaping Read) {
    self.name = name
    readSlice = { session, _, _ in try read(session) }
    isSliced = false
  }

  init(
    _ name: String,
    slices: @escaping @Sendable (CatalogSession, _ slice: Int, _ count: Int) throws -> KindContents
  ) {
    self.name = name
    readSlice = slices
    isSliced = true
  }

  /// The pieces of the work for `count` connections.
  func pieces(_ count: Int) -> [Read] {
    let count = isSliced ? count : 1
    return (0..<count).map { slice in { try readSlice($0, slice, count) } }
  }

  /// All kinds, the most expensive ones last. No reader needs another's results.
  static let all: [KindReader] = [
    KindReader("schemas", Schemas.read),
    KindReader("extensions", Extensions.read),
    KindReader("languages", Languages.read),
    KindReader("collations", Collations.read),
    KindReader("type aliases", TypeAliases.read),
    KindReader("internal members", InternalMembers.read),
    KindReader("enums", EnumTypes.read),
    KindReader("composite types", CompositeTypes.read),
    KindReader("domains", Domains.read),
    KindReader("base types", BaseTypes.read),
    KindReader("range types", RangeTypes.read),
    KindReader("casts", Casts.read),
    KindReader("aggregates", Aggregates.read),
    KindReader("operators", Operators.read),
    KindReader("operator classes", OperatorClasses.read),
    KindReader("text search", TextSearch.read),
    KindReader("foreign servers", ForeignServers.read),
    KindReader("extended statistics", ExtendedStatistics.read),
    KindReader("rules", Rules.read),
    KindReader("policies", Policies.read),
    KindReader("publications", Publications.read),
    KindReader("subscriptions", Subscriptions.read),
    KindReader("event triggers", EventTriggers.read),
    KindReader("default privileges", DefaultPrivileges.read),
    KindReader("changed privileges", ChangedPrivileges.read),
    KindReader("triggers", Triggers.read),
    KindReader("functions", Functions.read),
    KindReader("sequences", Sequences.read),
    KindReader("constraints", Constraints.read),
    KindReader("index attachments", Indexes.attachments),
    // pg_get_indexdef() is the most work by far where there are many tables.
    KindReader("indexes", slices: Indexes.read),
    KindReader("relations", Relations.read),
  ]
}
