import Postgres

extension ServerCheckup {
  /// Which kinds of backup the server allows, and so how much may be lost with it.
  func checkKinds(_ connection: Connection, _ facts: inout ServerFacts) throws {
    guard list.wants("database.kinds") || list.wantsArea("backup") else { return }
    var reasons: [String] = []
    try list.check("database.kinds", advice: "Look into the server's log.") {
      let row = try connection.query(
        """
        SELECT current_setting('wal_level'), current_setting('max_wal_senders')::int,
          current_setting('max_replication_slots')::int,
          (SELECT count(*) FROM pg_replication_slots), r.rolsuper OR r.rolreplication,
          current_setting('summarize_wal', true)
        FROM pg_roles r WHERE r.rolname = session_user
        """, timeout: list.limit)
      let level = row.string(0, 0)
      if level == "minimal" { reasons.append("wal_level is minimal: set it to replica") }
      if row.int(0, 1) == 0 { reasons.append("max_wal_senders is 0: set it to 10") }
      let slots = (row.int(0, 2) ?? 0, row.int(0, 3) ?? 0)
      if slots.0 == 0 { reasons.append("max_replication_slots is 0: set it to 10") }
      if !row.bool(0, 4) {
        reasons.append("the role lacks REPLICATION: ALTER ROLE … REPLICATION")
      }
      if reasons.isEmpty, let refusal = refusal() { reasons.append(refusal) }
      facts.allowsPhysical = reasons.isEmpty
      let decoding =
        level == "logical" && row.bool(0, 4)
        ? "logical decoding too" : "no logical decoding (that needs wal_level = logical)"
      if facts.allowsPhysical {
        return .ok(
          "the server allows logical backups, physical ones and WAL, \(decoding): with \"backup "
            + "wal\" the recovery point is seconds, without it the time between backups")
      }
      let text =
        "the server allows logical backups only, \(decoding): the recovery point is the time "
        + "between backups"
      guard options.recoveryPoint < .seconds(3600) else {
        return .ok("\(text) (for seconds: \(reasons.joined(separator: "; ")))")
      }
      return .warning(
        "\(text), and \(Wording.duration(options.recoveryPoint)) is promised",
        "For base backups and WAL: \(reasons.joined(separator: "; ")).")
    }
  }

  /// Why a connection for replication cannot be had; nil when it can.
  private func refusal() -> String? {
    do {
      let connection = try ReplicationConnection(
        target, applicationName: Self.applicationName, connectTimeout: list.limit,
        cancellation: list.cancellation)
      connection.close()
      return nil
    } catch {
      return "a connection for replication is refused, pg_hba.conf needs a line for it "
        + "(\(Wording.oneLine("\(error)")))"
    }
  }
}
