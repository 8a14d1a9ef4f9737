import Glibc
import ObjectStore

extension StoreCheckup {
  /// Whether one upload will hold the next backup.
  ///
  /// - Parameter newestBackup: its bytes; nil when there is none.
  func checkPartCap(_ opened: Opened?, newestBackup: Int?) throws {
    guard let bucket = opened?.bucket else { return }
    try list.check("storage.part_cap", advice: "") {
      Self.partCap(bucket.partCap, newestBackup: newestBackup)
    }
  }

  static func partCap(_ cap: Int, newestBackup: Int?) -> Checklist.Verdict {
    // The largest part that S3 knows has 5 GiB, the largest object 5 TB.
    let largest = min(cap * (5 << 30), 5_000_000_000_000)
    let words = "an upload may have \(cap) parts, so a backup may have \(Wording.size(largest))"
    guard let newestBackup else { return .ok(words) }
    let last = "\(words); the newest has \(Wording.size(newestBackup))"
    let advice =
      "Set BACKUP_S3_PART_CAP to what the provider allows, leave out what can be made again "
      + "(--exclude-table-data), or take backups into a directory."
    if largest < newestBackup / 10 * 11 { return .failure(last, advice) }
    return largest / 3 < newestBackup ? .warning(last, advice) : .ok(last)
  }

  /// What the bucket allows: locks.
  func checkBucket(_ opened: Opened, lockDays: Int?, keepDays: Int) throws {
    guard let bucket = opened.bucket else { return }
    try list.check(
      "storage.object_lock",
      advice: "Give the key s3:GetBucketObjectLockConfiguration, or look at the bucket by hand."
    ) {
      let lock: S3Store.ObjectLock?
      do { lock = try list.bounded { try bucket.objectLock() } } catch let error
        as ObjectStoreError where error.code == .denied && lockDays == nil
      {
        return .ok("the key may not ask for the bucket's object lock, and none is asked for")
      }
      guard let lock else {
        guard let lockDays else {
          return .ok("the bucket has no object lock, and BACKUP_S3_LOCK_DAYS asks for none")
        }
        return .failure(
          "BACKUP_S3_LOCK_DAYS is \(lockDays), and the bucket has no object lock: backups fail",
          "Make a bucket with object lock, or unset BACKUP_S3_LOCK_DAYS.")
      }
      if let lockDays, keepDays > 0, lockDays > keepDays {
        return .warning(
          "objects are locked for \(lockDays) days and kept for \(keepDays): prune cannot delete "
            + "what it should",
          "Set BACKUP_S3_LOCK_DAYS to \(keepDays) at most.")
      }
      let own = lock.defaultMode.map { " (\($0), \(lock.defaultPeriod ?? "no period"))" } ?? ""
      let asked = lockDays.map { "backups are locked for \($0) days" } ?? "backups ask for none"
      return .ok("the bucket has object lock\(own); \(asked)")
    }
  }

  /// Whether there is room: for the next backup in a directory, for parts on the way to a bucket.
  ///
  /// - Parameter newestBackup: its bytes; nil when there is none.
  func checkSpace(_ opened: Opened?, newestBackup: Int?) throws {
    guard opened != nil, let folder = spaceFolder else { return }
    try list.check("storage.space", advice: "Look whether the folder \(folder) is there.") {
      let (free, isWritable) = try list.bounded { () -> (Int, Bool) in
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
          throw Refusal(path: folder, reason: String(cString: strerror(errno)))
        }
        return (Int(status.f_bavail) * Int(status.f_frsize), access(folder, W_OK) == 0)
      }
      let words = "\(folder) has \(Wording.size(free)) left"
      guard isWritable else {
        return .failure("\(folder) cannot be written to", "Let this user write there.")
      }
      guard case .directory? = configuration.location, let newestBackup else { return .ok(words) }
      let last = "the newest backup has \(Wording.size(newestBackup))"
      if free < newestBackup {
        return .failure("\(words), and \(last)", "Make room before the next backup.")
      }
      if free / 3 < newestBackup {
        return .warning("\(words), and \(last)", "Make room, or keep backups for a shorter time.")
      }
      return .ok("\(words), \(last)")
    }
  }

  private var spaceFolder: String? {
    switch configuration.location {
    case .directory(let path): path
    case .s3: configuration.s3.spoolDirectory
    case nil: nil
    }
  }

  /// Why nothing is known of a folder.
  private struct Refusal: Error, CustomStringConvertible {
    var path: String
    var reason: String
    var description: String { "\(path): \(reason)" }
  }
}
