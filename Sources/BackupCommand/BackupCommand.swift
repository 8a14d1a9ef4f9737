import ArgumentParser
import ToolSupport

@main
struct Backup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", version: ToolVersion.current)

  static func main() { ToolMain.main(Self.self) }
}
