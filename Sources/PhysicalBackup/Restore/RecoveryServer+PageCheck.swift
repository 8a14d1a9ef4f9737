/// Reading every table and index of a server that runs.
extension RecoveryServer {
  public enum PageCheck: Hashable, Sendable {
    case sound
    /// The program or its extension is not installed on this machine.
    case unavailable(String)
    /// What it has found, a line each.
    case damaged([String])
  }

  /// Runs `pg_amcheck` over all databases: each table's rows, each B-tree's order, and that each
  /// row is in its indexes. It makes the extension `amcheck` where it is missing.
  ///
  /// - Parameters:
  ///   - socket: the folder of the server's socket.
  ///   - role: a superuser.
  public func checkPages(socket: String, port: Int, role: String, jobs: Int) throws -> PageCheck {
    guard LocalFiles.exists(binaries + "/pg_amcheck") else {
      return .unavailable("there is no pg_amcheck in \(binaries)")
    }
    let result = try run(
      "pg_amcheck",
      [
        "--all", "--install-missing", "--heapallindexed", "--no-password", "--jobs=\(jobs)",
        "-h", socket, "-p", "\(port)", "-U", role,
      ], limit: 1 << 20)
    let lines = result.output.split(separator: "\n").map(String.init)
    switch result.code {
    case 0: return .sound
    case 2: return .damaged(lines)
    default:
      return .unavailable(
        lines.last { $0.contains("rror:") } ?? "pg_amcheck ended with \(result.code)")
    }
  }
}
