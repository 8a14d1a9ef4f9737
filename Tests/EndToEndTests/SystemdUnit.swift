/// Reading a unit file of systemd.
enum SystemdUnit {
  /// The values of a key, in order.
  static func values(_ key: String, in unit: String) -> [String] {
    unit.split(separator: "\n").filter { $0.hasPrefix(key + "=") }
      .map { String($0.dropFirst(key.count + 1)) }
  }
}
