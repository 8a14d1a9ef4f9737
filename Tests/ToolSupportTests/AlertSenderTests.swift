import Testing

@testable import ToolSupport

@Suite struct AlertSenderTests {
  @Test(arguments: [
    ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/fail"),
    ("https://hc-ping.com/uuid/", "https://hc-ping.com/uuid/fail"),
    ("https://host/ping?token=a/b", "https://host/ping/fail?token=a/b"),
  ])
  func failureHasAURLOfItsOwn(url: String, failure: String) {
    #expect(AlertSender.failureURL(url) == failure)
  }

  @Test func readsEveryDSN() {
    let plain = SentryEvent.Destination(dsn: "https://abc@o1.ingest.sentry.io/42")
    #expect(plain?.url == "https://o1.ingest.sentry.io/api/42/envelope/")
    #expect(plain?.key == "abc")
    let old = SentryEvent.Destination(dsn: "http://abc:secret@sentry.local:9000/sub/path/7")
    #expect(old?.url == "http://sentry.local:9000/sub/path/api/7/envelope/")
    #expect(old?.key == "abc")
    for text in ["", "https://host/1", "https://key@host", "https://@host/1", "key@host/1"] {
      #expect(SentryEvent.Destination(dsn: text) == nil)
    }
  }
}
