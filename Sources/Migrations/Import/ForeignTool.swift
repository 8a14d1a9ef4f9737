/// Another migration tool, whose files and history can be taken over.
public enum ForeignTool: String, CaseIterable, Sendable {
  case alembic, dbmate, goose
  case golangMigrate = "golang-migrate"
  case sqlx, flyway
}
