/// A system catalog, by its own OID, which is the same in every PostgreSQL version
/// (`src/include/catalog/pg_*.h`).
public struct Catalog: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  private init(_ rawValue: UInt32) { self.rawValue = rawValue }

  public static let type = Catalog(1247)
  public static let procedure = Catalog(1255)
  public static let relation = Catalog(1259)
  public static let database = Catalog(1262)
  public static let foreignServer = Catalog(1417)
  public static let userMapping = Catalog(1418)
  public static let accessMethod = Catalog(2601)
  public static let accessMethodOperator = Catalog(2602)
  public static let accessMethodProcedure = Catalog(2603)
  public static let columnDefault = Catalog(2604)
  public static let cast = Catalog(2605)
  public static let constraint = Catalog(2606)
  public static let conversion = Catalog(2607)
  public static let language = Catalog(2612)
  public static let schema = Catalog(2615)
  public static let operatorClass = Catalog(2616)
  public static let `operator` = Catalog(2617)
  public static let rule = Catalog(2618)
  public static let trigger = Catalog(2620)
  public static let operatorFamily = Catalog(2753)
  public static let defaultPrivileges = Catalog(826)
  public static let foreignDataWrapper = Catalog(2328)
  public static let largeObject = Catalog(2613)
  public static let largeObjectMetadata = Catalog(2995)
  public static let `extension` = Catalog(3079)
  public static let policy = Catalog(3256)
  public static let extendedStatistics = Catalog(3381)
  public static let collation = Catalog(3456)
  public static let eventTrigger = Catalog(3466)
  public static let transform = Catalog(3576)
  public static let textSearchDictionary = Catalog(3600)
  public static let textSearchParser = Catalog(3601)
  public static let textSearchConfiguration = Catalog(3602)
  public static let textSearchTemplate = Catalog(3764)
  public static let subscription = Catalog(6100)
  public static let publication = Catalog(6104)
  public static let publicationTable = Catalog(6106)
  public static let publicationSchema = Catalog(6237)

  /// All catalogs that readers know.
  static let known: [Catalog] = [
    .type, .procedure, .relation, .database, .foreignServer, .userMapping, .accessMethod,
    .accessMethodOperator, .accessMethodProcedure, .columnDefault, .cast, .constraint, .conversion,
    .language, .schema, .operatorClass, .operator, .rule, .trigger, .operatorFamily,
    .defaultPrivileges, .foreignDataWrapper, .largeObject, .largeObjectMetadata, .extension,
    .policy, .extendedStatistics, .collation, .eventTrigger, .transform, .textSearchDictionary,
    .textSearchParser, .textSearchConfiguration, .textSearchTemplate, .subscription, .publication,
    .publicationTable, .publicationSchema,
  ]
}
