public import ByteStream
public import Postgres
import Glibc
import Schema

/// A database's schema as one file, for reviews: the same schema gives the same bytes.
public enum SchemaFile {
  /// The text of `schema.sql`: everything but owners, rights and pgkeep's own tables.
  public static func text(
    _ target: ConnectionTarget, cancellation: Cancellation = Cancellation()
  ) throws -> SQLText {
    let catalog = try DatabaseSchema.catalog(target, cancellation: cancellation)
    let script = catalog.script(ScriptOptions(includesOwners: false, includesPrivileges: false))
    return "-- Written by migrate schema; do not edit.\n\n" + SchemaScript.settings + "\n"
      + script.text
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
    let slash = path.lastIndex(of: "/")
    let folder = Folder(path: slash.map { String(path[..<$0]) } ?? ".")
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let present: [UInt8]
    do throws(Folder.Errno) { present = try folder.read(name) } catch {
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
