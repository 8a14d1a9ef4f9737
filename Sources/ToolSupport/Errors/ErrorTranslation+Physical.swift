import PhysicalBackup

extension ErrorTranslation {
  static func physical(_ error: PhysicalBackupError) -> ErrorReport {
    let status: ExitStatus =
      switch error.code {
      case .nothingToRestore, .outOfRange, .noSuchPoint: .nothingToRestore
      case .invalidTarget: .usage
      case .damaged, .badPages: .verificationFailed
      case .permission, .locked: .configuration
      case .gap, .newerFormat, .wrongServer, .unexpectedAnswer, .localPlace, .recoveryFailed,
        .cancelled:
        .failed
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
