import Foundation

/// The executables that were built together with the tests.
public enum BuiltExecutable {
  /// The path of `migrate`.
  public static let migrate = path("migrate")
  /// The path of `backup`.
  public static let backup = path("backup")
  /// The path of `restore`.
  public static let restore = path("restore")

  /// The path of the executable product of that name, beside the test program.
  public static func path(_ name: String) -> String {
    directory + "/" + name
  }

  /// The folder that holds the test program and the executables.
  public static let directory: String = {
    let program =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: program).deletingLastPathComponent().path
  }()
}
