import TestSupport

/// How much is tried: the whole with `scripts/test --all`, samples otherwise.
enum TestScope {
  static let isWhole = Command.cleanEnvironment["PGKEEP_TEST_ALL"] == "1"
}
