import Age
import ByteStream
import LogicalBackup
import ObjectStore
import PhysicalBackup
public import Postgres
import Recovery
import Repository

/// Turns the errors of the libraries into ``ErrorReport``s.
enum ErrorTranslation {
  /// - Parameter stopped: the signal that the run got, if any: then whatever error came of it
  ///   is reported as the stop that it is.
  static func report(of error: any Error, stopped: Signals.Stop?) -> ErrorReport {
    if let stopped, let error = error as? any ReportableError, isStop(error) {
      // The library knows better what became of what was under way.
      var report = error.report
      report.status = stopped.status
      report.code = "stopped"
      return report
    }
    if let stopped, isStop(error) {
      return ErrorReport(
        stopped.status, code: "stopped",
        "Stopped by \(stopped.name). Nothing half made was left visible; run the command again.")
    }
    switch error {
    case let report as ErrorReport: return report
    case let reportable as any ReportableError: return reportable.report
    case let error as PostgresError: return postgres(error)
    case let error as ObjectStoreError: return store(error)
    case let error as RepositoryError: return repository(error)
    case let error as LogicalBackupError: return logical(error)
    case let error as PhysicalBackupError: return physical(error)
    case let error as RecoveryError: return recovery(error)
    case let error as AgeError: return age(error)
    case let error as Cancellation.Cancelled:
      return ErrorReport(.failed, code: "cancelled", "Stopped: \(error.reason).")
    default: return ErrorReport(.failed, code: "unexpected", "\(error)")
    }
  }

  /// Whether an error is only the echo of a cancellation.
  private static func isStop(_ error: any Error) -> Bool {
    switch error {
    case is Cancellation.Cancelled: true
    case let error as PostgresError: error.code == .cancelled
    case let error as ObjectStoreError: error.code == .cancelled
    case let error as LogicalBackupError: error.cause.map(isStop) ?? false
    case let error as PhysicalBackupError:
      error.code == .cancelled || error.cause.map(isStop) ?? false
    case let error as RecoveryError: error.cause.map(isStop) ?? false
    case let error as any ReportableError:
      error.report.code == "cancelled"
    default: false
    }
  }

  private static func postgres(_ error: PostgresError) -> ErrorReport {
    var message = error.message
    var facts: [ErrorReport.Fact] = []
    if let server = error.server {
      message = message.isEmpty ? "The server says: \(server.message)" : message
      if !error.message.isEmpty { facts.append(.init("server", server.message)) }
      facts += Self.facts(of: server)
    }
    return ErrorReport(
      status(error), code: "\(error.code)", message, facts: facts)
  }

  /// SQLSTATE and what else the server said.
  static func facts(of server: ServerMessage) -> [ErrorReport.Fact] {
    var facts = [ErrorReport.Fact("sqlstate", server.sqlState.code)]
    if let detail = server.detail { facts.append(.init("detail", detail)) }
    if let hint = server.hint { facts.append(.init("hint", hint)) }
    if let context = server.context { facts.append(.init("context", context)) }
    return facts
  }

  private static func status(_ error: PostgresError) -> ExitStatus {
    switch error.code {
    case .invalidTarget: return .usage
    case .authentication, .noSuchDatabase: return .configuration
    default: break
    }
    switch error.sqlState {
    case .insufficientPrivilege, .invalidPassword, .invalidAuthorization: return .configuration
    case .lockNotAvailable: return .lockNotObtained
    default: return .failed
    }
  }

  private static func store(_ error: ObjectStoreError) -> ErrorReport {
    let status: ExitStatus =
      switch error.code {
      case .denied, .credentials, .clockSkew: .configuration
      case .invalidLocation: .usage
      case .truncated, .damaged: .verificationFailed
      default: .failed
      }
    var facts: [ErrorReport.Fact] = []
    if let key = error.key { facts.append(.init("object", key)) }
    return ErrorReport(status, code: error.code.rawValue, sentence("\(error)"), facts: facts)
  }

  private static func age(_ error: AgeError) -> ErrorReport {
    let status: ExitStatus =
      switch error.code {
      case .wrongKey, .tooExpensive: .configuration
      case .malformedKey: .usage
      case .truncated, .chunkDamaged, .headerDamaged, .malformedHeader: .verificationFailed
      case .notAge, .closed: .failed
      }
    return ErrorReport(status, code: error.code.rawValue, sentence(error.message))
  }

  private static func repository(_ error: RepositoryError) -> ErrorReport {
    let status: ExitStatus =
      switch error.code {
      case .noBackup: .nothingToRestore
      case .ambiguous, .invalid: .usage
      case .damaged: .verificationFailed
      case .otherServer, .newerFormat, .clock: .failed
      }
    return ErrorReport(status, code: error.code.rawValue, sentence("\(error)"))
  }

  private static func logical(_ error: LogicalBackupError) -> ErrorReport {
    let status: ExitStatus =
      switch error.code {
      case .lockNotObtained, .targetBusy: .lockNotObtained
      case .configuration, .permission, .targetMissing, .targetLacks: .configuration
      case .invalidRequest: .usage
      case .truncated, .damaged, .verificationFailed: .verificationFailed
      case .schemaChanged, .unsupported, .server, .notABackup, .newerFormat, .notEmpty,
        .localFile, .statementFailed, .notSwitched:
        .failed
      }
    var it = ErrorReport(status, code: error.code.rawValue, sentence(error.message))
    if let object = error.object { it.facts.append(.init("object", object)) }
    if let cause = error.cause {
      let inner = report(of: cause, stopped: nil)
      it.facts.append(.init("cause", inner.message))
      it.facts += inner.facts
      // What the server or the store refused is for the operator to mend, whatever failed by it.
      if it.status == .failed { it.status = inner.status }
    }
    return it
  }

  /// With a capital at its beginning and a full stop at its end, as all messages have.
  static func sentence(_ text: String) -> String {
    guard let first = text.first else { return text }
    // A key or path at the beginning stays as it is spelt.
    let isWord =
      text.prefix { $0.isLetter || $0 == "'" }.count >= 1
      && text.first(where: { !($0.isLetter || $0 == "'") }) == " "
    let begun = isWord ? first.uppercased() + text.dropFirst() : text
    return ".!?".contains(begun.last ?? ".") ? begun : begun + "."
  }
}

extension ErrorReport {
  /// A report with the server's SQLSTATE, detail, hint and context, for the executables' own
  /// translations.
  public init(
    _ status: ExitStatus, code: String, _ message: String, server: ServerMessage?
  ) {
    self.init(
      status, code: code, message, facts: server.map(ErrorTranslation.facts(of:)) ?? [])
  }
}
