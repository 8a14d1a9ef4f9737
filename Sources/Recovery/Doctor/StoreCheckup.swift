import ByteStream
import Crypto
import ObjectStore
import Repository

/// The checks of the store. Writes one small object and removes it.
struct StoreCheckup {
  /// A store that answers.
  struct Opened: Sendable {
    var store: any ObjectStore
    /// The bucket without its prefix, when it is one.
    var bucket: S3Store?
    /// Ends what still hangs in it.
    var stop: Cancellation
  }

  let configuration: StoreConfiguration
  let list: Checklist
  /// A component of a key never begins with a dot in the layout: no database's name meets this.
  private let prefix: String

  init(_ configuration: StoreConfiguration, environment: String, _ list: Checklist) {
    var configuration = configuration
    // Within the time of one check there is no room for many tries.
    let seconds = list.limit / .seconds(1)
    configuration.s3.deadline = min(configuration.s3.deadline, max(1, seconds - 1))
    configuration.s3.stallTimeout = min(configuration.s3.stallTimeout, max(1, seconds - 1))
    configuration.s3.attempts = min(configuration.s3.attempts, 4)
    // The probe must go again.
    configuration.s3.lockDays = nil
    self.configuration = configuration
    self.list = list
    prefix = Layout.prefix(environment: environment) + ".doctor/"
  }

  /// Nil when the store cannot be opened or does not answer.
  ///
  /// - Parameters:
  ///   - lockDays: for which new objects are to be locked.
  ///   - keepDays: for which backups are kept.
  func examine(lockDays: Int?, keepDays: Int) throws -> Opened? {
    let opened: Opened
    do {
      opened = try open()
      let (store, prefix) = (opened.store, prefix)
      let started = ContinuousClock.now
      try list.bounded { try store.list(prefix: prefix) { _ in } }
      let took = Int((ContinuousClock.now - started) / .milliseconds(1))
      list.add(
        "storage.reachable",
        .ok("the store \(store.description) answers\(endpoint(opened)) within \(took) ms"))
    } catch {
      try list.cancellation.check()
      list.add(
        "storage.reachable", .failure("the store does not answer as it should: \(error)", advice))
      return nil
    }
    try checkClock(opened)
    try probe(opened)
    try checkBucket(opened, lockDays: lockDays, keepDays: keepDays)
    return opened
  }

  private var advice: String {
    "Look whether BACKUP_STORE and BACKUP_S3_ENDPOINT name the store rightly, and whether the key "
      + "may list it: docs/storage.md."
  }

  private func endpoint(_ opened: Opened) -> String {
    opened.bucket.map { " at \($0.endpointDescription)" } ?? ""
  }

  private func open() throws -> Opened {
    let stop = Cancellation()
    let configuration = configuration
    return try list.bounded {
      guard case .s3(let name, let prefix)? = configuration.location else {
        return Opened(store: try configuration.open(cancellation: stop), bucket: nil, stop: stop)
      }
      var whole = configuration
      whole.location = .s3(bucket: name, prefix: "")
      let base = try whole.open(cancellation: stop)
      return Opened(
        store: prefix.isEmpty ? base : try PrefixedStore(base, prefix: prefix),
        bucket: base as? S3Store, stop: stop)
    }
  }

  private func checkClock(_ opened: Opened) throws {
    try list.check("storage.clock", advice: advice) {
      let before = UTCTime.now()
      let store = opened.store
      let time = try list.bounded { try store.clock() }
      // A Date header has whole seconds. Signatures are good for 15 minutes.
      return ClockCheck.verdict(
        "the store", time, between: before.adding(seconds: -1), and: .now(), failsAt: 900)
    }
  }

  // MARK: The probe

  private func probe(_ opened: Opened) throws {
    let names = ["write", "list", "read", "conditional_write", "delete"]
    guard names.contains(where: { list.wants("storage." + $0) }) else { return }
    let store = opened.store
    let key = prefix + Hex.encode(try SecureRandom.bytes(8))
    let bytes = Array("pgkeep doctor: can be deleted at any time\n".utf8)
    var isGone = false
    // Also after Ctrl-C, and when nobody knows whether it was written.
    defer {
      if !isGone { try? store.delete(key) }
    }
    let rights = "Give the key the rights that docs/security.md lists, on the bucket and prefix."
    let isWritten = try step("storage.write", rights) {
      try list.bounded { try store.put(key, bytes) }
      return .ok("an object can be written")
    }
    guard isWritten else { return }
    let prefix = prefix
    try step("storage.list", rights) {
      let found = try list.bounded { try store.list(prefix: prefix) }
      guard let probe = found.first(where: { $0.key == key }), probe.size == bytes.count else {
        return .failure(
          "the object that was just written is not in the list of the store",
          "The store is not consistent: do not keep backups there.")
      }
      // What a doctor left that was killed.
      let old = found.filter { $0.modified < probe.modified.adding(seconds: -3600) }.map(\.key)
      if !old.isEmpty { try? list.bounded { try store.delete(old) } }
      return .ok("what was written is in the list")
    }
    try step("storage.read", rights) {
      let (all, part) = try list.bounded {
        (try store.readAll(key, limit: 4096), try store.readRange(key, 7..<13))
      }
      guard all == bytes, part == Array(bytes[7..<13]) else {
        return .failure(
          "what was read back is not what was written",
          "Something between here and the store changes the bytes: do not keep backups there.")
      }
      return .ok("what was read back is what was written")
    }
    try step("storage.conditional_write", rights) { try conditional(opened, key, bytes) }
    isGone = try step("storage.delete", rights) {
      let left = try list.bounded {
        try store.delete(key)
        return try store.info(key)
      }
      guard left == nil else {
        return .failure(
          "the object \(key) is still there after it was deleted",
          "Look for a rule of the bucket that keeps objects, and delete it by hand.")
      }
      return .ok("it can be deleted, and is gone")
    }
  }

  private func conditional(
    _ opened: Opened, _ key: String, _ bytes: [UInt8]
  ) throws -> Checklist.Verdict {
    let store = opened.store
    let whole = keyInBucket(key)
    let isRefused = try list.bounded {
      if let bucket = opened.bucket { return try bucket.refusesOverwriting(whole, with: bytes) }
      do {
        try store.put(key, bytes, options: PutOptions(onlyIfAbsent: true))
        return false
      } catch let error as ObjectStoreError where error.code == .alreadyExists {
        return true
      }
    }
    return isRefused
      ? .ok("an object that is there is not overwritten where that was the condition")
      : .warning(
        "the store ignores conditional writes (If-None-Match): two backups that end in the same "
          + "instant are not told apart",
        "Nothing else depends on it: begin one backup of a database at a time.")
  }

  /// A probe's key in the bucket itself.
  private func keyInBucket(_ key: String) -> String {
    guard case .s3(_, let prefix)? = configuration.location, !prefix.isEmpty else { return key }
    return "\(prefix)/\(key)"
  }

  /// Like ``Checklist/check(_:advice:_:)``, but done although nobody asked for its finding: the
  /// next step needs it.
  @discardableResult
  private func step(
    _ name: String, _ advice: String, _ body: () throws -> Checklist.Verdict
  ) throws -> Bool {
    try list.cancellation.check()
    do {
      let verdict = try body()
      list.add(name, verdict)
      return verdict.level != .failure
    } catch {
      try list.cancellation.check()
      list.add(name, .failure("\(error)", advice))
      return false
    }
  }
}
