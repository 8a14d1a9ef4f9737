/// The keys of the advisory locks that pgkeep takes, in one place, so that no two of them meet.
public enum AdvisoryLocks {
  /// A run of `migrate` holds it: "pgkeep" and a number, as no other program's would be.
  public static let migrationRun = "8099560538086834177"
  /// Shared, of the session that does a run's work: it outlives a killed client for as long as the
  /// server is still busy for it.
  public static let migrationWork = "8099560538086834178"
  /// The class of the locks of restores: the bytes of "pgkp".
  public static let restoreClass = 0x7067_6B70
}
