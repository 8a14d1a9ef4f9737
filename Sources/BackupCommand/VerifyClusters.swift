import ObjectStore
import PhysicalBackup
import ToolSupport

/// `backup verify --cluster`.
struct VerifyClusters {
  private let run: Run
  private let store: any ObjectStore

  init(_ run: Run, _ store: any ObjectStore) throws {
    self.run = run
    self.store = SealedStore(store, identities: try run.configuration.ageKeys(flag: nil))
  }

  func verify() throws {
    let names = try PhysicalCatalog.clusters(in: store, environment: run.environmentName)
    guard !names.isEmpty else {
      throw ErrorReport(
        .nothingToRestore, code: "nothingToRestore",
        "There are no base backups and no WAL in \(store.description), environment "
          + "\(run.environmentName).")
    }
    let jobs = try run.configuration.jobs(flag: nil)
    let reports = try names.map { name in
      try run.readingAll(of: name, in: store) { try audit(name, jobs: jobs) }
    }
    run.conclude(
      json: ["clusters": .array(reports.map(Self.json))],
      text: reports.map(Self.text).joined(separator: "\n"))
    let findings = reports.flatMap(\.findings)
    guard findings.isEmpty else {
      throw ErrorReport(
        .verificationFailed, code: "damaged",
        "\(Humane.plural(findings.count, "thing")) in base backups and WAL "
          + "\(findings.count == 1 ? "is" : "are") not sound: "
          + findings.prefix(20).joined(separator: "; "))
    }
  }

  private func audit(_ systemIdentifier: String, jobs: Int) throws -> PhysicalAudit.Report {
    let catalog = try run.cluster(systemIdentifier, in: store, points: .ends)
    return try run.withProgress(ProgressState(stage: "verifying \(systemIdentifier)")) { progress in
      progress.update {
        $0.totalBytes = catalog.bases.reduce(catalog.wal?.size ?? 0) { $0 + $1.size }
      }
      return try PhysicalAudit(catalog, jobs: jobs).run(cancellation: run.cancellation) { count in
        progress.update { $0.bytes += count }
      }
    }
  }

  private static func text(_ report: PhysicalAudit.Report) -> String {
    var text =
      "cluster \(report.systemIdentifier): read \(Humane.plural(report.bases, "base backup")) and "
      + "\(Humane.plural(report.segments, "WAL segment")), \(Humane.size(report.bytes))\n"
    text += PhysicalRendering.ranges(report.ranges, report.gaps)
    for finding in report.findings { text += "  NOT SOUND: \(finding)\n" }
    return text + (report.passed ? "  all of it is sound\n" : "")
  }

  private static func json(_ report: PhysicalAudit.Report) -> JSONValue {
    [
      "system_identifier": .string(report.systemIdentifier),
      "passed": .bool(report.passed),
      "bases": .integer(report.bases),
      "segments": .integer(report.segments),
      "bytes": .integer(report.bytes),
      "ranges": .array(report.ranges.map { .string("\($0)") }),
      "findings": .array(report.findings.map { .string($0) }),
    ]
  }
}

extension Run {
  /// What a store has of each cluster of the environment.
  func clusters(
    in store: any ObjectStore, points: PhysicalCatalog.PointsScope
  ) throws -> [PhysicalCatalog] {
    try PhysicalCatalog.clusters(in: store, environment: environmentName).map {
      try cluster($0, in: store, points: points)
    }
  }

  /// What a store has of one of them.
  func cluster(
    _ systemIdentifier: String, in store: any ObjectStore, points: PhysicalCatalog.PointsScope
  ) throws -> PhysicalCatalog {
    try PhysicalCatalog(
      store, environment: environmentName, systemIdentifier: systemIdentifier, points: points,
      cancellation: cancellation)
  }
}
