import Postgres
import Testing

@Suite struct ConnectionTargetTests {
  @Test(arguments: [
    "postgresql://app:s3cret@db.example.org:5433/shop",
    "postgres://app:s3cret@db.example.org:5433/shop",
    "postgresql+psycopg2://app:s3cret@db.example.org:5433/shop",
    "postgresql+psycopg://app:s3cret@db.example.org:5433/shop",
    "postgresql+asyncpg://app:s3cret@db.example.org:5433/shop?ssl=require",
    "host=db.example.org port=5433 user=app password=s3cret dbname=shop",
  ])
  func takesEverySpelling(url: String) throws {
    let target = try ConnectionTarget(url)
    #expect(target.user == "app")
    #expect(target.host == "db.example.org")
    #expect(target.port == "5433")
    #expect(target.database == "shop")
    #expect(target.hasPassword)
    #expect("\(target)" == "app@db.example.org:5433/shop")
  }

  @Test func readsAsyncpgTLSMode() throws {
    let target = try ConnectionTarget("postgresql+asyncpg://u@h/d?ssl=true&connect_timeout=3")
    #expect(target.parameter("sslmode") == "require")
    #expect(target.parameter("connect_timeout") == "3")
    let verified = try ConnectionTarget("postgresql+asyncpg://u@h/d?ssl=verify-full")
    #expect(verified.parameter("sslmode") == "verify-full")
  }

  @Test func decodesPercentEscapes() throws {
    let target = try ConnectionTarget("postgresql://u%40x:p%2Fw@h/my%20db")
    #expect(target.user == "u@x")
    #expect(target.database == "my db")
  }

  @Test func changesOnlyTheDatabase() throws {
    let target = try ConnectionTarget("postgresql://u:p@h:1/a?sslmode=disable")
    let other = target.with(database: "b")
    #expect("\(other)" == "u@h:1/b")
    #expect(other.parameter("sslmode") == "disable")
    #expect(other.hasPassword)
  }

  @Test(arguments: [
    "sqlite:///app.db", "mysql://u:hunter2@h/d", "postgresql://u:hunter2@h:port/d",
    "postgresql://u:hunter2@[h/d", "", "nonsense",
    "host=h password='hunter2",
  ])
  func refusesOthersWithoutThePassword(url: String) {
    let error = #expect(throws: PostgresError.self) { _ = try ConnectionTarget(url) }
    #expect(error?.code == .invalidTarget)
    #expect(error.map { "\($0)".contains("hunter2") } == false)
  }

  @Test func neverShowsThePassword() throws {
    let target = try ConnectionTarget("postgresql://u:hunter2@h/d?sslpassword=hunter2")
    #expect(!"\(target)".contains("hunter2"))
    #expect(target.parameter("password") == nil)
    #expect(target.parameter("sslpassword") == nil)
  }
}
