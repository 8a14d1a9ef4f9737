import ArgumentParser
import Migrations
import Postgres
import Schema
import ToolSupport

struct Diff: ToolCommand {
  static let service = "migrate"
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show what was changed by hand since the last migration, in words and in SQL.",
    discussion: """
      Compares the database with the schema that the last migration left. Exits with 5 when they \
      differ. The SQL is a draft for a person: rows are not thought of.

      Examples:
        migrate diff
        migrate diff --undo > undo.sql
        migrate diff --accept
      """)

  @Flag(help: "Only SQL: what was done by hand.")
  var sql = false
  @Flag(help: "Only SQL: what takes it back.")
  var undo = false
  @Flag(help: "Take the schema as it is for what the last migration left.")
  var accept = false
  @OptionGroup var lock: LockOptions
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var form: JSONOption
  var isJSON: Bool { form.json }

  func validate() throws {
    if [sql, undo, accept].count(where: { $0 }) > 1 {
      throw ValidationError("Only one of --sql, --undo and --accept can be given")
    }
  }

  func run(_ run: Run) throws {
    let migrator = try run.migrator(database, lock: lock)
    if accept {
      try migrator.acceptDrift()
      return run.conclude(
        json: ["accepted": .bool(true)], text: "The schema is recorded as it is.\n")
    }
    let drift = try migrator.drift()
    if sql || undo {
      let changes = sql ? drift.made : drift.undo
      run.show(json: drift.json, text: changes?.text.string ?? "")
      if drift.difference == nil { try drift.check() }
      return
    }
    run.show(json: drift.json, text: drift.text + (drift.isFound ? "\n" + drift.script : ""))
    try drift.check()
  }
}
