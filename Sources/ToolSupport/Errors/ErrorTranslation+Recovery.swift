import Recovery

extension ErrorTranslation {
  static func recovery(_ error: RecoveryError) -> ErrorReport {
    let status: ExitStatus =
      switch error.code {
      case .noRoute, .fallsShort: .nothingToRestore
      case .whichDatabase: .usage
      case .temporaryServer: .configuration
      }
    var it = ErrorReport(status, code: error.code.rawValue, sentence(error.message))
    if let cause = error.cause {
      let inner = report(of: cause, stopped: nil)
      it.facts.append(.init("cause", inner.message))
      it.facts += inner.facts
    }
    return it
  }
}
