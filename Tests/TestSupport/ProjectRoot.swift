/// The checkout that these tests were compiled from.
public enum ProjectRoot {
  /// The absolute path of the folder that holds `Package.swift`, without a slash at its end.
  public static let path: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    // This file is Tests/TestSupport/ProjectRoot.swift.
    parts.removeLast(3)
    return parts.joined(separator: "/")
  }()
}
