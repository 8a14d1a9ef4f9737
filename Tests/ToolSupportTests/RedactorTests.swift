import Testing
import ToolSupport

@Suite struct RedactorTests {
  @Test(arguments: [
    "postgresql://app:s3cr%40t!@db:5432/shop", "postgres://app:s3cr@t!@db/shop",
    "host=db user=app password=s3cr@t! dbname=shop",
    "host=db password='s3cr@t!' user=app", "postgresql://app@db/shop?password=s3cr%40t!&sslmode=x",
  ])
  func takesPasswordsOut(url: String) {
    let redactor = Redactor()
    redactor.add(passwordsOf: url)
    let shown = redactor.redact("cannot use \(url): s3cr@t! was refused for app")
    #expect(!shown.contains("s3cr@t!"))
    #expect(!shown.contains("s3cr%40t!"))
    #expect(shown.contains("was refused for app"))
  }

  @Test func takesSecretsOutOfJSONToo() {
    let redactor = Redactor()
    redactor.add("a\"b\\c")
    let record: JSONValue = ["message": "key a\"b\\c is wrong"]
    #expect(redactor.redact(record.compact) == #"{"message":"key *** is wrong"}"#)
  }

  @Test func leavesWordsWhole() {
    let redactor = Redactor()
    redactor.add("a")
    redactor.add("")
    redactor.add(nil)
    #expect(redactor.redact("all data") == "all data")
  }
}
