import ByteStream

/// AWS's shared files, `~/.aws/credentials` and `~/.aws/config`: profiles with their settings.
///
/// Source: docs.aws.amazon.com, "Configuration and credential file settings".
struct SharedFiles: Sendable {
  /// Settings by profile; the credentials file's go before the config file's.
  let profiles: [String: [String: String]]
  /// What was looked for, and whether it was there, for people.
  let description: String

  /// Reads both; a file that is not there has no profiles.
  ///
  /// - Throws: ``ObjectStoreError`` for one that is there and cannot be read.
  init(credentialsPath: String?, configPath: String?) throws {
    var profiles: [String: [String: String]] = [:]
    var missing: [String] = []
    for (path, isConfig) in [(credentialsPath, false), (configPath, true)] {
      guard let path else { continue }
      guard let bytes = try SmallFile.read(path, limit: 1 << 20) else {
        missing.append(path)
        continue
      }
      for (name, settings) in Self.sections(bytes, isConfig: isConfig) {
        profiles[name, default: [:]].merge(settings) { old, _ in old }
      }
    }
    self.profiles = profiles
    if credentialsPath == nil, configPath == nil {
      description = "neither HOME nor AWS_SHARED_CREDENTIALS_FILE is set"
    } else if missing.isEmpty {
      description = "profiles \(profiles.keys.sorted().joined(separator: ", "))"
    } else {
      description =
        missing.joined(separator: " and ") + (missing.count > 1 ? " are" : " is")
        + " not there"
    }
  }

  /// The sections of an INI file that are profiles.
  ///
  /// - Parameter isConfig: the config file writes `[profile NAME]`, apart from `[default]`.
  static func sections(_ bytes: [UInt8], isConfig: Bool) -> [String: [String: String]] {
    var found: [String: [String: String]] = [:]
    var profile: String?
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      // A line with blanks before it belongs to a nested setting, and none of those matters here.
      guard let first = line.first, first != " ", first != "\t", first != "#", first != ";"
      else { continue }
      if first == "[" {
        profile = name(line, isConfig: isConfig)
        if let profile, found[profile] == nil { found[profile] = [:] }
      } else if let profile, let mark = line.firstIndex(of: "=") {
        let name = line[..<mark].lowercased().trimmingBlanks()
        found[profile]?[name] = value(line[line.index(after: mark)...])
      }
    }
    return found
  }

  private static func name(_ line: Substring, isConfig: Bool) -> String? {
    guard let end = line.firstIndex(of: "]") else { return nil }
    let words = line[line.index(after: line.startIndex)..<end].split { $0 == " " || $0 == "\t" }
    let text = words.map(String.init)
    guard isConfig else { return text.joined(separator: " ") }
    if text == ["default"] { return "default" }
    guard text.count > 1, text[0] == "profile" else { return nil }
    return text[1...].joined(separator: " ").filter { $0 != "\"" && $0 != "'" }
  }

  /// Without blanks at the ends, and without a comment that follows a blank.
  private static func value(_ text: Substring) -> String {
    var end = text.startIndex
    var isBlank = false
    while end < text.endIndex {
      let character = text[end]
      if isBlank, character == "#" || character == ";" { break }
      isBlank = character == " " || character == "\t"
      end = text.index(after: end)
    }
    return text[..<end].trimmingBlanks()
  }
}
