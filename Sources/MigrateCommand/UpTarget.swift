import ArgumentParser
import Migrations

/// How far `up` goes: a version, or `head` as Alembic's hooks say.
enum UpTarget: ExpressibleByArgument {
  case head
  case version(MigrationVersion)

  init?(argument: String) {
    if argument == "head" || argument == "heads" {
      self = .head
    } else if let version = MigrationVersion(argument) {
      self = .version(version)
    } else {
      return nil
    }
  }

  var version: MigrationVersion? {
    if case .version(let version) = self { version } else { nil }
  }
}
