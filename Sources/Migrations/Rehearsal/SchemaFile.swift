public import ByteStream
public import Postgres
import Glibc
import Schema

/// A database's schema as one file, for reviews: the same schema gives the same bytes.
public struct SchemaFile {
  private static let heading: SQLText = "-- Written by migrate schema; do not edit.\n"
  private static let newestMark: SQLText = "-- Newest migration: "

  /// The text of the file.
  let text: SQLText

  /// Reads a file.
  ///
  /// - Throws: ``MigrationsError/Code/invalidFiles``.
  init(path: String) throws(MigrationsError) {
    do throws(Folder.Errno) { text = SQLText(bytes: try Folder.file(at: path)) } catch {
      throw MigrationsError(
        .invalidFiles, "Cannot read \(path): \(error). Write it with: migrate schema")
    }
  }

  /// The newest migration that the schema has; nil when it has none.
  var newest: MigrationVersion? {
    for line in text.bytes.split(separator: 0x0A).prefix(20) {
      let line = SQLText(bytes: line)
      guard line.hasPrefix(Self.newestMark) else { continue }
      return MigrationVersion(
        SQLText(bytes: line.bytes.dropFirst(Self.newestMark.bytes.count)).string)
    }
    return nil
  }

  /// Makes the schema in an empty database.
  func fill(_ target: ConnectionTarget, cancellation: Cancellation) throws {
    let connection = try Connection(
      target, ConnectionOptions(applicationName: "pgkeep migrate rehearse", profile: .data),
      cancellation: cancellation)
    let lexer = SQLLexer()
    let run = { (piece: SQLPiece) in
      guard case .statement(let statement) = piece else { return }
      do { try connection.run(statement.text) } catch let error as PostgresError
        where error.code == .server
      {
        throw MigrationsError(
          .statementFailed,
          "The scratch database cannot be made by the schema file, line \(statement.start.line): "
            + "\(error)", cause: error)
      }
    }
    try lexer.feed(text.bytes, run)
    try lexer.finish(run)
  }

  /// The text of `schema.sql`: everything but owners, rights and pgkeep's own tables.
  public static func text(
    _ target: ConnectionTarget, cancellation: Cancellation = Cancellation()
  ) throws -> SQLText {
    let connection = try DatabaseSchema.connect(target, cancellation: cancellation)
    let catalog = try DatabaseSchema.catalog(connection, cancellation: cancellation)
    let script = catalog.script(ScriptOptions(includesOwners: false, includesPrivileges: false))
    let newest = AppliedState(try History(connection: connection).entries()).newestVersion
    let mark = newest.map { newestMark + SQLText("\($0.text)\n") } ?? ""
    return heading + mark + "\n" + SchemaScript.settings + "\n" + script.text
  }

  /// Writes the file, whole or not at all.
  public static func write(_ text: SQLText, to path: String) throws(MigrationsError) {
    let temporary = "\(path).new"
    unlink(temporary)
    try NewMigration.write(temporary, text.bytes)
    guard rename(temporary, path) == 0 else {
      let reason = Folder.Errno(number: errno)
      unlink(temporary)
      throw MigrationsError(.invalidFiles, "Cannot write \(path): \(reason)")
    }
  }

  /// Whether the file holds that text; its first differing line is told.
  ///
  /// - Throws: ``MigrationsError/Code/drift`` when not.
  public static func check(_ text: SQLText, against path: String) throws(MigrationsError) {
    let present: [UInt8]
    do throws(Folder.Errno) { present = try Folder.file(at: path) } catch {
      throw MigrationsError(.drift, "Cannot read \(path): \(error). Write it: migrate schema")
    }
    guard present != text.bytes else { return }
    var line = 1
    for (left, right) in zip(present, text.bytes) {
      if left != right { break }
      if left == 0x0A { line += 1 }
    }
    throw MigrationsError(
      .drift,
      "\(path) is not the database's schema: they differ from line \(line) on. Write it anew: "
        + "migrate schema")
  }
}
