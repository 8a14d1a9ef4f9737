import Foundation
import TestSupport
import Testing

/// A directory store that fails, or whose user is killed, at each step of its protocol: each file
/// that is made, written, fsynced, renamed or deleted.
@Suite struct DirectoryFaultTests {
  /// Every step and every fault under PGKEEP_TEST_ALL, else some.
  private static let isLong = ProcessInfo.processInfo.environment["PGKEEP_TEST_ALL"] != nil
  private static let faults: [FaultyCalls.Fault] =
    isLong ? FaultyCalls.Fault.allCases : [.kill, .full]

  /// A folder of its own with a copy of prepared backups.
  private struct Copy {
    let directory: TestDirectory
    let backup: Tool
    let folder: String

    init(of template: String?, _ bench: Bench) throws {
      directory = try TestDirectory()
      folder = directory.file("store")
      if let template { try Command.check("cp", ["-a", template, folder]) }
      backup = bench.backup.with(["BACKUP_STORE": "file://\(folder)"])
    }

    func with(_ fault: FaultyCalls.Fault, at number: Int) throws -> Tool {
      backup.with(try FaultyCalls.variables(fault, at: number, below: folder))
    }

    func complete() throws -> [String] {
      let list = try backup("list", "--json")
      list.expectSuccess()
      return (try list.json()["backups"] as? [[String: Any]] ?? [])
        .filter { $0["state"] as? String == "complete" }.compactMap { $0["id"] as? String }
    }
  }

  /// Runs `body` with the numbers of one step after another, until it says that the last was
  /// passed; in the short run every fifth.
  private func steps(from first: Int, _ body: (Int) throws -> Bool) throws -> Int {
    var number = first
    while try body(number) {
      number += Self.isLong ? 1 : 5
      if number > 500 { throw TestSupportError("it never ends") }
    }
    return number
  }

  @Test(arguments: faults)
  func backupRun(_ fault: FaultyCalls.Fault) throws {
    let bench = try Bench(rows: 100)
    let template = try Copy(of: nil, bench)
    try template.backup("run").expectSuccess()
    let old = try template.complete()
    // Into a store that has one, and into none, where folders are made.
    for source in [template.folder, nil] {
      let before = source == nil ? [] : old
      let last = try steps(from: 1) { number in
        let copy = try Copy(of: source, bench)
        let run = try copy.with(fault, at: number)("run")
        if run.code == 0 { return false }
        let what = "\(fault) at step \(number): \(run.errorText)"
        if fault == .kill {
          #expect(run.result.ending == .signaled(SIGKILL), "\(what)")
        } else {
          #expect([1, 8].contains(run.code), "\(what)")
          #expect(try run.errors().count == 1, "\(what)")
        }
        let new = try copy.complete().filter { !before.contains($0) }
        #expect(new.count <= 1, "\(what)")
        // Killed, or failing to fsync the folder, after the manifest had its name: then it is whole.
        for id in new {
          let verified = try copy.backup("verify", id)
          #expect(verified.code == 0, "\(what): \(verified.errorText)")
        }
        #expect(try copy.complete().filter(before.contains) == before, "\(what)")
        // What was begun is in nobody's way.
        try copy.backup("run").expectSuccess()
        #expect(try copy.complete().count == before.count + new.count + 1, "\(what)")
        return true
      }
      #expect(last > 8, "the protocol has more steps than \(last)")
    }
    try bench.expectNoSessions()
  }

  @Test(arguments: faults)
  func backupPrune(_ fault: FaultyCalls.Fault) throws {
    let bench = try Bench(rows: 10)
    let template = try Copy(of: nil, bench)
    for _ in 0..<3 { try template.backup("run").expectSuccess() }
    let old = try template.complete()
    #expect(old.count == 3)
    let last = try steps(from: 1) { number in
      let copy = try Copy(of: template.folder, bench)
      let wanted = ["prune", "--keep-days", "0", "--keep-last", "1"]
      let tool = try copy.with(fault, at: number)
      let run = Tool.Outcome(
        result: try Command.run(tool.path, wanted, environment: tool.environment))
      let left = try copy.complete()
      let what = "\(fault) at step \(number): \(run.errorText)"
      // The newest is never touched, and what is left is whole.
      #expect(left.last == old.last, "\(what)")
      for id in left {
        let verified = try copy.backup("verify", id)
        #expect(verified.code == 0, "\(what): \(verified.errorText)")
      }
      if run.code == 0 {
        #expect(left.count == 1, "\(what)")
        return false
      }
      #expect(fault == .kill || [1, 8].contains(run.code), "\(what)")
      let again = try Command.run(copy.backup.path, wanted, environment: copy.backup.environment)
      #expect(again.exitCode == 0, "\(what): \(again.errorText)")
      #expect(try copy.complete() == Array(old.suffix(1)), "\(what)")
      return true
    }
    #expect(last >= 4)
  }

  @Test func backupVerify() throws {
    let bench = try Bench(rows: 10)
    let template = try Copy(of: nil, bench)
    try template.backup("run").expectSuccess()
    for fault in Self.faults {
      _ = try steps(from: 1) { number in
        let copy = try Copy(of: template.folder, bench)
        let run = try copy.with(fault, at: number)("verify")
        if run.code == 0 { return false }
        let what = "\(fault) at step \(number): \(run.errorText)"
        // A proof that cannot be stored is no damage.
        #expect(fault == .kill || [1, 8].contains(run.code), "\(what)")
        #expect(try !copy.backup("list").text.contains("FAILED"), "\(what)")
        try copy.backup("verify").expectSuccess()
        return true
      }
    }
  }
}
