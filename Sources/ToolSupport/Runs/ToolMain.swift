public import ArgumentParser
import Glibc

/// The entry of an executable: parses, runs, and exits with a documented code.
///
/// Differs from swift-argument-parser's own `main()` in the code for a wrong command line: 2, as
/// shells and most tools have it, not 64.
public enum ToolMain {
  public static func main(_ root: (some ParsableCommand).Type) -> Never {
    let arguments = CommandLine.arguments
    ProcessTitle.hidePasswords(of: arguments)
    do {
      var command = try root.parseAsRoot(Array(arguments.dropFirst()))
      try command.run()
      exit(ExitStatus.done.rawValue)
    } catch {
      let code = root.exitCode(for: error)
      let text = root.fullMessage(for: error)
      let console = Console(redactor: Redactor())
      for argument in arguments { console.redactor.add(passwordsOf: argument) }
      if !text.isEmpty {
        if code.isSuccess { console.output(text + "\n") } else { console.line(text) }
      }
      exit(code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue)
    }
  }
}
