import Foundation
import TestSupport
import Testing

/// A directory store that fails, or whose user is killed, at each step of its protocol: each file
/// that is made, written, fsynced, renamed or deleted; of a restore also each that is listed,
/// opened or read.
///
/// Every fault at every step with PGKEEP_TEST_ALL, else some at random; PGKEEP_TEST_SEED has the
/// same ones again.
@Suite struct DirectoryFaultTests {
  private static let isLong = ProcessInfo.processInfo.environment["PGKEEP_TEST_ALL"] != nil
  /// Printed once, for all of these tests.
  private static let seed = SeededGenerator().seed
  private static let faults: [FaultyCalls.Fault] = {
    var generator = SeededGenerator(seed: seed)
    let failures = FaultyCalls.Fault.allCases.filter { $0 != .kill }.shuffled(using: &generator)
    return [.kill] + (isLong ? failures : Array(failures.prefix(1)))
  }()

  /// A folder of its own with a copy of prepared backups.
  private struct Copy {
    let directory: TestDirectory
    let backup: Tool
    let restore: Tool
    let folder: String

    init(of template: String?, _ bench: Bench) throws {
      directory = try TestDirectory()
      folder = directory.file("store")
      if let template { try Command.check("cp", ["-a", template, folder]) }
      backup = bench.backup.with(["BACKUP_STORE": "file://\(folder)"])
      restore = bench.restore.with(["BACKUP_STORE": "file://\(folder)"])
    }

    func complete() throws -> [String] {
      let list = try backup("list", "--json")
      list.expectSuccess()
      return (try list.json()["backups"] as? [[String: Any]] ?? [])
        .filter { $0["state"] as? String == "complete" }.compactMap { $0["id"] as? String }
    }
  }

  /// One run of a command with the fault at one step.
  private struct Attempt {
    let copy: Copy
    let outcome: Tool.Outcome
    /// Whether the run got as far as the step.
    let isReached: Bool
    /// For messages.
    let what: String
  }

  /// Runs a command with the fault at one step after another until there are no more, or at random
  /// ones, each time in a fresh copy.
  ///
  /// - Returns: the number of steps.
  @discardableResult
  private func attempts(
    _ fault: FaultyCalls.Fault, _ arguments: [String], of template: String?, _ bench: Bench,
    counting scope: FaultyCalls.Scope = .changes, _ body: (Attempt) throws -> Void
  ) throws -> Int {
    func attempt(at number: Int) throws -> (Attempt, Int) {
      let copy = try Copy(of: template, bench)
      let tool = scope == .changes ? copy.backup : copy.restore
      let (outcome, calls) = try FaultyCalls.run(
        tool, arguments, fault, at: number, below: copy.folder, counting: scope)
      let isReached = calls >= number
      if fault == .kill, isReached {
        #expect(outcome.result.ending == .signaled(SIGKILL), "\(number): \(outcome.errorText)")
      }
      let what = "\(arguments) with \(fault) at step \(number): \(outcome.errorText)"
      return (
        Attempt(copy: copy, outcome: outcome, isReached: isReached, what: what), calls
      )
    }
    // One that no fault meets tells how many steps there are.
    let (untouched, count) = try attempt(at: 1_000_000)
    untouched.outcome.expectSuccess()
    try body(untouched)
    var numbers = Array(1...count)
    if !Self.isLong {
      var generator = SeededGenerator(seed: Self.seed)
      numbers = Array(numbers.shuffled(using: &generator).prefix(3))
    }
    for number in numbers { try body(attempt(at: number).0) }
    // Threads share the steps in another way each time, and there may be some more.
    var number = count
    while Self.isLong {
      number += 1
      let (one, calls) = try attempt(at: number)
      if calls < number { break }
      try body(one)
    }
    return count
  }

  /// Expects that a run that has failed has said so once, in words.
  private func expectFailure(_ attempt: Attempt, _ fault: FaultyCalls.Fault) throws {
    guard fault != .kill else { return }
    #expect([1, 8].contains(attempt.outcome.code), "\(attempt.what)")
    #expect(try attempt.outcome.errors().count == 1, "\(attempt.what)")
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
      let count = try attempts(fault, ["run"], of: source, bench) { attempt in
        let (copy, what) = (attempt.copy, attempt.what)
        let complete = try copy.complete()
        let new = complete.filter { !before.contains($0) }
        if attempt.isReached {
          #expect(attempt.outcome.code != 0, "\(what)")
          try expectFailure(attempt, fault)
          #expect(new.count <= 1, "\(what)")
        } else {
          attempt.outcome.expectSuccess()
          #expect(new.count == 1, "\(what)")
        }
        // Killed, or failing to fsync the folder, after the manifest had its name: it is whole.
        for id in new {
          let verified = try copy.backup("verify", id)
          #expect(verified.code == 0, "\(what): \(verified.errorText)")
        }
        #expect(complete.filter(before.contains) == before, "\(what)")
        // What was begun is in nobody's way.
        try copy.backup("run").expectSuccess()
        #expect(try copy.complete().count == complete.count + 1, "\(what)")
      }
      #expect(count > 8)
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
    let wanted = ["prune", "--keep-days", "0", "--keep-last", "1"]
    let count = try attempts(fault, wanted, of: template.folder, bench) { attempt in
      let (copy, what) = (attempt.copy, attempt.what)
      let left = try copy.complete()
      // The newest is never touched, and what is left is whole.
      #expect(left.last == old.last, "\(what)")
      for id in left {
        let verified = try copy.backup("verify", id)
        #expect(verified.code == 0, "\(what): \(verified.errorText)")
      }
      if attempt.outcome.code == 0 {
        #expect(left.count == 1, "\(what)")
      } else {
        #expect(attempt.isReached, "\(what)")
        try expectFailure(attempt, fault)
      }
      let again = try Command.run(copy.backup.path, wanted, environment: copy.backup.environment)
      #expect(again.exitCode == 0, "\(what): \(again.errorText)")
      #expect(try copy.complete() == Array(old.suffix(1)), "\(what)")
    }
    #expect(count >= 4)
  }

  @Test(arguments: faults)
  func backupVerify(_ fault: FaultyCalls.Fault) throws {
    let bench = try Bench(rows: 10)
    let template = try Copy(of: nil, bench)
    try template.backup("run").expectSuccess()
    try attempts(fault, ["verify"], of: template.folder, bench) { attempt in
      let (copy, what) = (attempt.copy, attempt.what)
      if attempt.outcome.code != 0 {
        #expect(attempt.isReached, "\(what)")
        try expectFailure(attempt, fault)
      }
      // A proof that cannot be stored is no damage.
      #expect(try !copy.backup("list").text.contains("FAILED"), "\(what)")
      try copy.backup("verify").expectSuccess()
    }
  }

  @Test(arguments: faults)
  func restore(_ fault: FaultyCalls.Fault) throws {
    let bench = try Bench(rows: 100)
    let template = try Copy(of: nil, bench)
    try template.backup("run").expectSuccess()
    let before = try Command.check("find", [template.folder, "-type", "f"]).text
    let contents = try bench.contents(of: bench.database.name)
    let count = try attempts(
      fault, ["latest", "--verify"], of: template.folder, bench, counting: .changesAndReads
    ) { attempt in
      let (copy, what) = (attempt.copy, attempt.what)
      try bench.expectNoSessions()
      let made = try bench.restored()
      // Under its own name it is whole or not there.
      if made.contains(bench.target) {
        #expect(try bench.contents(of: bench.target) == contents, "\(what)")
        try bench.cluster.psql("DROP DATABASE \(bench.target)")
      }
      if attempt.outcome.code == 0 {
        #expect(made == [bench.target], "\(what)")
      } else {
        // Only the mark for a prune is written, which it can do without.
        #expect(attempt.isReached && fault.failsReading, "\(what)")
        try expectFailure(attempt, fault)
        if fault != .kill { #expect(made.isEmpty, "\(what)") }
      }
      // The store is as it was, but for what the killed one left; and nothing is in the way.
      try copy.restore("latest", "--verify").expectSuccess()
      #expect(try bench.restored() == [bench.target], "\(what)")
      #expect(try bench.contents(of: bench.target) == contents, "\(what)")
      try bench.cluster.psql("DROP DATABASE \(bench.target)")
      let left = try Command.check(
        "find", [copy.folder, "-type", "f", "-not", "-path", "*/pins/*"])
      let files = left.text.replacing(copy.folder, with: template.folder)
      #expect(
        Set(files.split(separator: "\n")) == Set(before.split(separator: "\n")), "\(what)")
    }
    #expect(count > 8)
  }
}
