import Testing

@testable import LogicalBackup

/// A server that nobody knew when this was written cannot be had: the rule alone is tested.
@Suite struct SupportedServersTests {
  @Test(arguments: [14, 15, 18])
  func knownOnesAreTaken(major: Int) throws {
    try SupportedServers.check(major, forced: false)
  }

  @Test func aNewerOneIsRefusedUnlessForced() throws {
    let error = #expect(throws: LogicalBackupError.self) {
      try SupportedServers.check(19, forced: false)
    }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("--untested-server") == true)
    try SupportedServers.check(19, forced: true)
  }

  @Test func oneThatIsTooOldIsRefusedAlways() {
    #expect(throws: LogicalBackupError.self) { try SupportedServers.check(13, forced: true) }
  }
}
