public import ArgumentParser

/// The form of log lines.
public enum LogFormat: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// For people: a line of text.
  case text
  /// For collectors: one JSON object a line.
  case json
}
