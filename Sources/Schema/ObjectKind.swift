/// What a piece of a schema is, in the words of SQL. The order of the cases is the order in which
/// objects that do not need each other are written.
public enum ObjectKind: Int, Sendable, CaseIterable, Comparable {
  // Before the rows.
  case database
  case schema
  case language
  case collation
  case transform
  case `extension`
  case shellType
  case enumType
  case compositeType
  case domain
  case rangeType
  case baseType
  case cast
  case function
  case procedure
  case aggregate
  case accessMethod
  case `operator`
  case operatorFamily
  case operatorClass
  case conversion
  case textSearchParser
  case textSearchTemplate
  case textSearchDictionary
  case textSearchConfiguration
  case foreignDataWrapper
  case foreignServer
  case userMapping
  case table
  case foreignTable
  case sequence
  case sequenceOwner
  case view
  case materializedView
  case partitionAttachment
  case domainConstraint
  case columnDefault
  case viewDefinition
  // After the rows.
  case constraint
  case index
  case indexAttachment
  case extendedStatistics
  case rule
  case trigger
  case checkConstraint
  case foreignKey
  case policy
  case rowSecurity
  case publication
  case publicationTable
  case publicationSchema
  case subscription
  case privileges
  case defaultPrivileges
  case eventTrigger
  case materializedViewRefresh

  public static func < (left: ObjectKind, right: ObjectKind) -> Bool {
    left.rawValue < right.rawValue
  }

  /// Whether `CREATE OR REPLACE` gives it another body and further defaults.
  var isRoutine: Bool { self == .function || self == .procedure }

  /// The kind in SQL's words, as it stands in `COMMENT ON` where it can stand there.
  public var label: String {
    switch self {
    case .database: "DATABASE"
    case .schema: "SCHEMA"
    case .language: "LANGUAGE"
    case .collation: "COLLATION"
    case .transform: "TRANSFORM"
    case .extension: "EXTENSION"
    case .shellType, .enumType, .compositeType, .rangeType, .baseType: "TYPE"
    case .domain: "DOMAIN"
    case .cast: "CAST"
    case .function: "FUNCTION"
    case .procedure: "PROCEDURE"
    case .aggregate: "AGGREGATE"
    case .accessMethod: "ACCESS METHOD"
    case .operator: "OPERATOR"
    case .operatorFamily: "OPERATOR FAMILY"
    case .operatorClass: "OPERATOR CLASS"
    case .conversion: "CONVERSION"
    case .textSearchParser: "TEXT SEARCH PARSER"
    case .textSearchTemplate: "TEXT SEARCH TEMPLATE"
    case .textSearchDictionary: "TEXT SEARCH DICTIONARY"
    case .textSearchConfiguration: "TEXT SEARCH CONFIGURATION"
    case .foreignDataWrapper: "FOREIGN DATA WRAPPER"
    case .foreignServer: "SERVER"
    case .userMapping: "USER MAPPING"
    case .table: "TABLE"
    case .foreignTable: "FOREIGN TABLE"
    case .sequence: "SEQUENCE"
    case .sequenceOwner: "SEQUENCE OWNED BY"
    case .view: "VIEW"
    case .materializedView: "MATERIALIZED VIEW"
    case .partitionAttachment: "TABLE ATTACH"
    case .domainConstraint: "DOMAIN CONSTRAINT"
    case .columnDefault: "DEFAULT"
    case .viewDefinition: "VIEW DEFINITION"
    case .constraint: "CONSTRAINT"
    case .index: "INDEX"
    case .indexAttachment: "INDEX ATTACH"
    case .extendedStatistics: "STATISTICS"
    case .rule: "RULE"
    case .trigger: "TRIGGER"
    case .checkConstraint: "CHECK CONSTRAINT"
    case .foreignKey: "FK CONSTRAINT"
    case .policy: "POLICY"
    case .rowSecurity: "ROW SECURITY"
    case .publication: "PUBLICATION"
    case .publicationTable: "PUBLICATION TABLE"
    case .publicationSchema: "PUBLICATION SCHEMA"
    case .subscription: "SUBSCRIPTION"
    case .privileges: "PRIVILEGES"
    case .defaultPrivileges: "DEFAULT PRIVILEGES"
    case .eventTrigger: "EVENT TRIGGER"
    case .materializedViewRefresh: "MATERIALIZED VIEW REFRESH"
    }
  }
}
