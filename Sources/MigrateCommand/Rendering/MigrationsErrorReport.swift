public import Migrations
import Postgres
public import ToolSupport

extension MigrationsError: ReportableError {
  public var report: ErrorReport {
    var facts: [ErrorReport.Fact] = []
    if let failure {
      facts += [.init("file", failure.file), .init("line", "\(failure.line)")]
      if let column = failure.column { facts.append(.init("column", "\(column)")) }
      facts.append(.init("sqlstate", failure.server.sqlState.code))
    }
    if !done.isEmpty {
      facts.append(.init("done", done.map(\.step.title).joined(separator: "\n")))
    }
    return ErrorReport(status, code: "\(code)", description, facts: facts)
  }

  private var status: ExitStatus {
    switch code {
    case .invalidFiles, .statementFailed, .irreversible, .noSuchStep, .cancelled, .dataLoss: .failed
    case .outOfOrder, .drift: .drift
    case .lockNotObtained: .lockNotObtained
    case .transactionPooler, .notAllowed, .historyTooNew: .configuration
    case .unfinished: .migrationDirty
    }
  }
}
