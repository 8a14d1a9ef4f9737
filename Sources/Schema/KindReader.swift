/// Reads and renders the objects of one kind, or of a few that belong together.
struct KindReader: Sendable {
  typealias Read = @Sendable (CatalogSession) throws -> KindContents

  /// Reads what belongs to the relations of one slice.
  typealias ReadSlice = @Sendable (CatalogSession, RelationSlice) throws -> KindContents

  let name: String
  private let whole: [Read]
  private let sliced: [ReadSlice]

  init(_ name: String, _ read: @escaping Read) { self.init(name, whole: [read], sliced: []) }

  /// - Parameters:
  ///   - whole: queries that one connection asks.
  ///   - sliced: those that are shared out between all connections, since they are much work where
  ///     there are many tables.
  init(_ name: String, whole: [Read], sliced: [ReadSlice]) {
    self.name = name
    self.whole = whole
    self.sliced = sliced
  }

  /// The pieces of the work, when relations are shared out like this.
  func pieces(_ slices: [RelationSlice]) -> [Read] {
    whole + sliced.flatMap { read in slices.map { slice -> Read in { try read($0, slice) } } }
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
    KindReader("constraints", whole: [Constraints.inherited], sliced: [Constraints.read]),
    KindReader("index attachments", Indexes.attachments),
    KindReader("indexes", whole: [IndexFacts.settings], sliced: [IndexFacts.read]),
    KindReader(
      "relations", whole: [RelationFacts.read],
      sliced: [RelationFacts.checks, RelationFacts.relations, RelationFacts.columns]),
  ]
}
