/// All that the doctor found.
public struct HealthReport: Hashable, Sendable {
  /// In the order of the page: database, storage, backups.
  public let findings: [Finding]

  public init(_ findings: [Finding]) { self.findings = findings }

  /// The worst of all.
  public var level: Finding.Level { findings.map(\.level).max() ?? .ok }

  /// The worst of one area; nil when nothing of it was looked at.
  public func level(ofArea area: String) -> Finding.Level? {
    findings.filter { $0.area == area }.map(\.level).max()
  }

  /// One finding by its name.
  public subscript(_ name: String) -> Finding? { findings.first { $0.name == name } }

  public func count(_ level: Finding.Level) -> Int { findings.count { $0.level == level } }
}
