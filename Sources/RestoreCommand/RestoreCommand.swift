import ArgumentParser
import ToolSupport

@main
struct Restore: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", version: ToolVersion.current)

  static func main() { ToolMain.main(Self.self) }
}
