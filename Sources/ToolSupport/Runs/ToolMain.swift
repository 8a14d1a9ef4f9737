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
      var command = try command(of: root, Array(arguments.dropFirst()))
      try command.run()
      leave(ExitStatus.done.rawValue)
    } catch {
      let code = root.exitCode(for: error)
      let text = root.fullMessage(for: error)
      let console = Console(redactor: Redactor())
      for argument in arguments { console.redactor.add(passwordsOf: argument) }
      if !text.isEmpty {
        if code.isSuccess { console.output(text + "\n") } else { console.line(text) }
      }
      leave(code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue)
    }
  }

  /// Ends the process without the end of each library: all that matters is written by now, and
  /// that takes as long as connecting to a server.
  private static func leave(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
  }

  /// Parses the arguments. For a deploy hook's start-up the options of one subcommand are looked
  /// at, not those of all: half of a thousandth of a second each. Whatever is not plain, and every
  /// error, is left to the whole.
  private static func command(
    of root: (some ParsableCommand).Type, _ arguments: [String]
  ) throws -> any ParsableCommand {
    let named = arguments.first.flatMap { name in
      root.configuration.subcommands.first { $0.configuration.commandName == name }
    }
    if let named, named.configuration.subcommands.isEmpty,
      let command = try? named.parseAsRoot(Array(arguments.dropFirst()))
    {
      return command
    }
    return try root.parseAsRoot(arguments)
  }
}
