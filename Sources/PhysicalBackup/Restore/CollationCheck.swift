import FoundationEssentials
import Glibc

/// Finds indexes whose order may not be that of this machine's collations: after a restore on
/// another machine, or one with another version of glibc or ICU, they give wrong answers until they
/// are built anew.
///
/// Asks through `psql`, which runs as the server's own user, and so gets in where only that may.
public struct CollationCheck: Sendable {
  /// An index that depends on a collation whose version is another one here.
  public struct AffectedIndex: Hashable, Sendable, Decodable {
    public var database: String
    /// With its schema, quoted where need be.
    public var index: String
    /// The collation, or `database default`.
    public var collation: String
    /// The version under which it was built.
    public var stored: String
    /// This machine's; nil where it has none, or not the collation.
    public var actual: String?

    /// What builds it anew.
    public var command: String { "REINDEX INDEX CONCURRENTLY \(index);" }
  }

  private let server: RecoveryServer
  private let role: String

  /// - Parameters:
  ///   - server: one that runs.
  ///   - role: who logs in over its socket; nil for the name of the server's user.
  public init(_ server: RecoveryServer, role: String? = nil) {
    self.server = server
    self.role = role ?? server.owner ?? Self.ownName
  }

  private static var ownName: String {
    getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "postgres"
  }

  /// The question, for one database: a line of JSON for each index.
  public static let query = """
    WITH changed AS (
      SELECT c.oid, c.oid::regcollation::text AS name, c.collversion AS stored,
        pg_collation_actual_version(c.oid) AS actual
      FROM pg_collation c
      WHERE c.collversion IS NOT NULL AND c.collencoding IN (-1, (SELECT encoding FROM pg_database
          WHERE datname = current_database()))
      UNION ALL
      SELECT 100, 'database default', datcollversion, pg_database_collation_actual_version(oid)
      FROM pg_database WHERE datname = current_database() AND datcollversion IS NOT NULL)
    SELECT DISTINCT json_build_object('database', current_database(), 'index',
      i.indexrelid::regclass::text, 'collation', changed.name, 'stored', changed.stored,
      'actual', changed.actual)::text
    FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid AND r.relkind = 'i'
    JOIN changed ON changed.stored IS DISTINCT FROM changed.actual AND (
      EXISTS (SELECT 1 FROM unnest(i.indcollation::oid[], i.indclass::oid[]) AS k (coll, class)
        JOIN pg_opclass o ON o.oid = k.class
        WHERE k.coll = changed.oid AND o.opcname NOT LIKE '%pattern_ops')
      OR EXISTS (SELECT 1 FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_collation'::regclass AND d.refobjid = changed.oid
          AND NOT changed.oid = ANY (i.indcollation::oid[]))
      OR concat(i.indexprs::text, i.indpred::text) LIKE '%:inputcollid ' || changed.oid || ' %')
    ORDER BY 1
    """

  /// Asks each database that allows connections. Blocks.
  ///
  /// - Throws: ``PhysicalBackupError`` when one cannot be asked, with `psql`'s words.
  public func run() throws -> [AffectedIndex] {
    let names = try ask(
      "template1",
      "SELECT to_json(datname)::text FROM pg_database WHERE datallowconn ORDER BY datname")
    var indexes: [AffectedIndex] = []
    for line in names {
      let name = try Self.decode(String.self, line)
      indexes += try ask(name, Self.query).map { try Self.decode(AffectedIndex.self, $0) }
    }
    return indexes
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ line: String) throws -> Value {
    do { return try JSONDecoder().decode(type, from: Data(line.utf8)) } catch {
      throw PhysicalBackupError(
        .unexpectedAnswer, "psql gave a line that is none of the answer: \(line)", cause: error)
    }
  }

  /// Lines of an answer of one column.
  private func ask(_ database: String, _ query: String) throws -> [String] {
    let (port, socket) = try address()
    func quoted(_ text: String) -> String {
      "'"
        + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "'"
    }
    // A server warns at the connection already of versions that differ; what it says comes along
    // with the answer, whose lines are therefore marked.
    let mark = "pgkeep-answer "
    let result = try server.run(
      "psql",
      [
        "-XqAtw", "-v", "ON_ERROR_STOP=1", "-d",
        "host=\(quoted(socket)) port=\(port) user=\(quoted(role)) dbname=\(quoted(database)) "
          + "connect_timeout=30 application_name=pgkeep",
        "-c", "SET statement_timeout = '10min'", "-c", "SET search_path = pg_catalog",
        "-c", "SELECT '\(mark)' || q.line FROM (\(query)) AS q (line)",
      ], limit: 1 << 26)
    guard result.code == 0 else {
      throw PhysicalBackupError(
        .recoveryFailed,
        "psql could not ask database \(database) as \(role): "
          + (result.output.split(separator: "\n").last.map(String.init) ?? "exit \(result.code)"))
    }
    return result.output.split(separator: "\n").filter { $0.hasPrefix(mark) }
      .map { String($0.dropFirst(mark.count)) }
  }

  /// Port and socket directory, by the server's own lock file.
  private func address() throws -> (port: String, socket: String) {
    let lines = String(
      decoding: try LocalFiles.read(server.dataDirectory + "/postmaster.pid"), as: UTF8.self
    ).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count > 5, Int(lines[3]) != nil else {
      throw PhysicalBackupError(.unexpectedAnswer, "the server's postmaster.pid is not whole")
    }
    return (lines[3], lines[4].isEmpty ? "127.0.0.1" : lines[4])
  }
}
