import Postgres

/// The configuration of a restored cluster: what recovery needs, and files that the backup lacks
/// because they lay outside of the source's data directory.
struct RestoredConfiguration {
  let settings: ServerSettings

  /// A setting as a line of a configuration file.
  static func line(_ name: String, _ value: String) -> String {
    var quoted = ""
    for character in value {
      if character == "'" || character == "\\" { quoted.append(character) }
      quoted.append(character)
    }
    return "\(name) = '\(quoted)'"
  }

  /// `postgresql.conf` from what the server showed: everything that its configuration files had
  /// set, without what names places of the old machine.
  var mainFile: String {
    let places: Set<String> = [
      "data_directory", "config_file", "hba_file", "ident_file", "external_pid_file",
      "unix_socket_directories", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file",
      "ssl_crl_dir", "ssl_dh_params_file", "log_directory", "stats_temp_directory",
    ]
    var lines = [
      "# Written by pgkeep from the settings that the server showed when it was backed up: its own",
      "# postgresql.conf lay outside of the data directory.",
    ]
    let kept = settings.settings.filter {
      $0.value.source == "configuration file" && !places.contains($0.key)
    }
    for (name, setting) in kept.sorted(by: { $0.key < $1.key }) {
      if name == "ssl" {
        // A server does not start without the files, which may not be here.
        if setting.value == "on" {
          lines.append("# ssl was on: give certificate and key, then set it")
        }
        continue
      }
      lines.append(Self.line(name, setting.value + Self.unit(setting)))
    }
    let missing = ServerSettings.recoveryMinimums.filter { kept[$0] == nil }
    for name in missing {
      if let setting = settings.settings[name] { lines.append(Self.line(name, setting.value)) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Units as configuration files take them: `8kB` stands for pages, which have no name there.
  private static func unit(_ setting: ServerSettings.Setting) -> String {
    guard let unit = setting.unit, Int(setting.value) != nil, !unit.hasPrefix("8"),
      !unit.hasPrefix("16"), setting.value != "-1", setting.value != "0"
    else { return "" }
    return unit
  }

  /// `pg_hba.conf` from the rules that the server showed; where the role could not see them, only
  /// the operating system's user of the same name gets in.
  var accessFile: String {
    var lines = [
      "# Written by pgkeep: the server's own pg_hba.conf lay outside of the data directory."
    ]
    guard let rules = settings.accessRules, !rules.isEmpty else {
      lines.append("local all all peer")
      return lines.joined(separator: "\n") + "\n"
    }
    for rule in rules {
      var fields = [rule.type, names(rule.databases), names(rule.users)]
      if let address = rule.address { fields.append(address) }
      if let netmask = rule.netmask { fields.append(netmask) }
      fields.append(rule.method)
      fields += rule.options
      lines.append(fields.joined(separator: " "))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func names(_ names: [String]) -> String {
    names.map { name in
      let isPlain = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "+" }
      return isPlain ? name : "\"\(name)\""
    }.joined(separator: ",")
  }
}
