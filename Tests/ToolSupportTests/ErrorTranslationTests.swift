import ByteStream
import ObjectStore
import Postgres
import Testing

@testable import ToolSupport

@Suite struct ErrorTranslationTests {
  private func report(_ error: any Error) -> ErrorReport {
    ErrorTranslation.report(of: error, stopped: nil)
  }

  @Test func keepsWhatTheServerSaid() {
    var server = ServerMessage(sqlState: .insufficientPrivilege, message: "permission denied")
    server.detail = "a detail"
    server.hint = "a hint"
    let it = report(PostgresError(.server, "Cannot lock table shop.users.", server: server))
    #expect(it.status == .configuration)
    #expect(
      it.description == """
        error: Cannot lock table shop.users.
          server    permission denied
          sqlstate  42501
          detail    a detail
          hint      a hint
        """)
    #expect(
      it.json.compact == """
        {"error":{"code":"server","message":"Cannot lock table shop.users.","exit_status":8,\
        "server":"permission denied","sqlstate":"42501","detail":"a detail","hint":"a hint"}}
        """)
  }

  @Test func choosesTheExitStatus() {
    #expect(report(PostgresError(.authentication, "x")).status == .configuration)
    #expect(report(PostgresError(.unreachable, "x")).status == .failed)
    #expect(report(PostgresError(.invalidTarget, "x")).status == .usage)
    let lock = ServerMessage(sqlState: .lockNotAvailable, message: "canceling statement")
    #expect(report(PostgresError(.server, "", server: lock)).status == .lockNotObtained)
    #expect(report(ObjectStoreError(.denied, "x")).status == .configuration)
    #expect(report(ObjectStoreError(.damaged, "x")).status == .verificationFailed)
    #expect(report(ObjectStoreError(.noSpace, "x")).status == .failed)
  }

  @Test func aSignalIsWhatStoppedIt() {
    let stop = Signals.Stop(name: "SIGTERM", status: .terminated)
    for error: any Error in [
      Cancellation.Cancelled(reason: "x"), PostgresError(.cancelled, "x"),
      ObjectStoreError(.cancelled, "x"),
    ] {
      let it = ErrorTranslation.report(of: error, stopped: stop)
      #expect(it.status == .terminated)
      #expect(it.message.hasPrefix("Stopped by SIGTERM."))
    }
    // An error of its own stays what it is.
    let it = ErrorTranslation.report(of: PostgresError(.connectionLost, "x"), stopped: stop)
    #expect(it.status == .failed)
  }
}
