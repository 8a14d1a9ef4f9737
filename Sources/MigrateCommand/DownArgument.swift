import ArgumentParser
import Migrations

/// Reads `-1` or a version from what the parser left over.
enum DownArgument {
  static func target(_ words: [String]) throws -> DownTarget {
    if let unknown = words.first(where: { $0.hasPrefix("-") && !isCount($0) }) {
      throw ValidationError("Unknown option '\(unknown)'")
    }
    guard words.count == 1, let word = words.first else {
      throw ValidationError(
        words.isEmpty
          ? "Missing how far to go down: -1, or the version that is to stay"
          : "One of -N and VERSION, not several: \(words.joined(separator: " "))")
    }
    if isCount(word), let count = Int(word.dropFirst()) {
      guard count > 0 else { throw ValidationError("-0 takes nothing back") }
      return .steps(count)
    }
    guard let version = MigrationVersion(word) else {
      throw ValidationError("'\(word)' is neither -N nor a version, which is 1 to 19 digits")
    }
    return .version(version)
  }

  private static func isCount(_ word: String) -> Bool {
    let digits = word.dropFirst()
    return word.hasPrefix("-") && !digits.isEmpty && digits.utf8.count <= 9
      && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}
