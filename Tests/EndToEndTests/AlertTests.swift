import Foundation
import Glibc
import TestSupport
import Testing

/// Sentry and the heartbeat.
@Suite struct AlertTests {
  /// An HTTP server that answers everything with 200 and notes what came.
  private final class Listener: Sendable {
    let port: Int
    private let process: RunningCommand

    init() throws {
      port = try LoopbackPort.free()
      let program = """
        import http.server, json, sys
        class Handler(http.server.BaseHTTPRequestHandler):
          def answer(self):
            body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
            print(json.dumps({'method': self.command, 'path': self.path, 'body': body,
              'auth': self.headers.get('X-Sentry-Auth')}), flush=True)
            self.send_response(200)
            self.send_header('Content-Length', '0')
            self.end_headers()
          do_GET = answer
          do_POST = answer
        http.server.HTTPServer(('127.0.0.1', \(port)), Handler).serve_forever()
        """
      process = try Command.start("python3", ["-c", program])
      for _ in 0..<200 {
        if LoopbackPort.answers(port) { break }
        usleep(50_000)
      }
    }

    deinit { process.kill() }

    /// The requests up to now; waits until there are so many of them.
    func requests(_ count: Int = 0) throws -> [[String: Any]] {
      let deadline = ContinuousClock.now + .seconds(60)
      while process.textSoFar.filter(\.isNewline).count < count, ContinuousClock.now < deadline {
        usleep(20_000)
      }
      return try process.textSoFar.split(separator: "\n").compactMap { line in
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      }
    }
  }

  @Test func sentryIsToldOfAFailureWithoutSecrets() throws {
    let listener = try Listener()
    let backup = Tool.backup.with([
      "SENTRY_DSN": "http://publickey@127.0.0.1:\(listener.port)/base/42",
      "ENVIRONMENT": "staging", "SCW_SECRET_KEY": "verysecret", "SCW_ACCESS_KEY": "known",
      "BACKUP_STORE": "ftp://verysecret",
    ])
    let run = try backup("prune")
    #expect(run.code == 2)
    #expect(!run.errorText.contains("verysecret"))
    let requests = try listener.requests(1)
    let request = try #require(requests.first)
    #expect(requests.count == 1)
    #expect(request["method"] as? String == "POST")
    #expect(request["path"] as? String == "/base/api/42/envelope/")
    #expect((request["auth"] as? String)?.contains("sentry_key=publickey") == true)
    let body = try #require(request["body"] as? String)
    #expect(!body.contains("verysecret"))
    let lines = body.split(separator: "\n")
    #expect(lines.count == 3)
    let item = try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any]
    #expect(item?["length"] as? Int == lines[2].utf8.count)
    let event = try #require(
      try JSONSerialization.jsonObject(with: Data(lines[2].utf8)) as? [String: Any])
    #expect(event["environment"] as? String == "staging")
    #expect((event["tags"] as? [String: String])?["exit_status"] == "2")
    #expect(try run.records().first?["request_id"] as? String == event["event_id"] as? String)
  }

  @Test func aDeafSentryChangesNothing() throws {
    let port = try LoopbackPort.free()
    for dsn in ["http://key@127.0.0.1:\(port)/1", "not a dsn"] {
      let run = try Tool.backup.with(["SENTRY_DSN": dsn])("prune")
      #expect(run.code == 8)
      #expect(try run.errors().count == 1)
      #expect(try run.records().filter { $0["level"] as? String == "warning" }.count == 1)
      #expect(!run.errorText.contains(dsn))
    }
  }

  @Test func theHeartbeatHearsOfEachBackup() throws {
    let listener = try Listener()
    let bench = try Bench(rows: 10)
    let metrics = try TestDirectory()
    let backup = bench.backup.with([
      "HEARTBEAT_URL": "http://127.0.0.1:\(listener.port)/ping/uuid",
      "METRICS_DIRECTORY": metrics.path,
    ])
    try backup("run").expectSuccess()
    #expect(try listener.requests(1).map { $0["path"] as? String } == ["/ping/uuid"])
    try backup.with(["DATABASE_URL": bench.url("no_such_database")])("run").expectFailure(8)
    let failure = try #require(try listener.requests(2).last)
    #expect(failure["method"] as? String == "POST")
    #expect(failure["path"] as? String == "/ping/uuid/fail")
    #expect((failure["body"] as? String)?.contains("no_such_database") == true)
    #expect((failure["body"] as? String)?.contains(Bench.secret) == false)

    let name = "pgkeep_backup_run_default_\(bench.database.name).prom"
    let text = String(decoding: try metrics.read(name), as: UTF8.self)
    #expect(text.contains("pgkeep_success{"))
    #expect(text.contains("pgkeep_rows{"))
    #expect(!text.contains(Bench.secret))
  }

  @Test func commandsThatOnlyShowAlertNobody() throws {
    let listener = try Listener()
    let address = "http://key@127.0.0.1:\(listener.port)/1"
    let run = try Tool.backup.with(["SENTRY_DSN": address, "HEARTBEAT_URL": address])("list")
    #expect(run.code == 8)
    #expect(try listener.requests().isEmpty)
  }
}
