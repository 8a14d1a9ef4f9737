import Crypto

/// Questions about the bucket itself, for those who look after it.
extension S3Store {
  /// What a bucket's object lock is.
  public struct ObjectLock: Hashable, Sendable {
    /// `GOVERNANCE` or `COMPLIANCE`, when the bucket locks each new object by itself.
    public var defaultMode: String?
    /// For how long, in words: `30 days`.
    public var defaultPeriod: String?
  }

  /// The bucket's object lock; nil when it has none, or when its provider knows no such thing.
  ///
  /// - Throws: ``ObjectStoreError/Code/denied`` when the key may not ask.
  public func objectLock() throws -> ObjectLock? {
    let reply: S3Client.Reply
    do {
      reply = try client.send(
        S3Client.Call(
          method: "GET", query: [("object-lock", "")], what: "cannot ask for the object lock",
          accepted: [200, 404], cancellation: cancellation))
    } catch let error as ObjectStoreError where [400, 405, 501].contains(error.answer?.status) {
      return nil
    }
    guard reply.head.status == 200, let xml = try? XMLElement(parsing: reply.body),
      xml.name == "ObjectLockConfiguration", xml.text("ObjectLockEnabled") == "Enabled"
    else { return nil }
    let rule = xml.all("Rule").first?.all("DefaultRetention").first
    var lock = ObjectLock(defaultMode: rule?.text("Mode"))
    // Some servers send both, one of them 0.
    for (name, unit) in [("Days", "days"), ("Years", "years")] {
      if let count = rule?.text(name), Int(count) ?? 0 > 0 {
        lock.defaultPeriod = "\(count) \(unit)"
      }
    }
    return lock
  }

  /// Whether the provider refuses to write over an object that should not have been there: writes
  /// it over an existing one with that condition, without looking first.
  ///
  /// - Parameter key: an object that is there, and that nobody needs.
  public func refusesOverwriting(_ key: String, with bytes: [UInt8]) throws -> Bool {
    try ObjectKey.check(key)
    let md5 = client.settings.contentMD5 ? Base64.encode(try Digest.hash(.md5, bytes)) : nil
    let digests = (sha256: Hex.encode(try Digest.hash(.sha256, bytes)), md5: md5)
    do {
      try client.put(
        key, body: ArrayBody(bytes), digests: digests, options: PutOptions(onlyIfAbsent: true),
        cancellation: cancellation)
      return false
    } catch let error as ObjectStoreError where error.code == .alreadyExists {
      return true
    }
  }
}
