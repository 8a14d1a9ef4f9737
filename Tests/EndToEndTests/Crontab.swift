/// What a file for /etc/cron.d says: settings, and lines of five times, a user and a command.
struct Crontab {
  struct Job {
    let schedule: String
    let user: String
    let command: String
  }

  private(set) var settings: [String: String] = [:]
  private(set) var jobs: [Job] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: true)
      if let equals = words[0].firstIndex(of: "=") {
        settings[String(words[0][..<equals])] = String(words[0][words[0].index(after: equals)...])
      } else if words.count == 7 {
        jobs.append(
          Job(
            schedule: words[..<5].joined(separator: " "), user: String(words[5]),
            command: String(words[6])))
      }
    }
  }
}
