public import ObjectStore

/// A backup that the store holds, as far as its manifest can be trusted.
public struct CatalogEntry: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    /// The manifest is sound, and the object is there with the size that it says.
    case complete(Manifest)
    /// The manifest is sound, but the object beside it is not what it says; why, in words.
    case incomplete(Manifest, String)
    /// A newer pgkeep wrote it; in words. Never chosen, never deleted.
    case newerFormat(String)
    /// The manifest cannot be read; why, in words. Never chosen, never deleted.
    case unreadable(String)
  }

  public let names: BackupNames
  public let state: State
  /// When the manifest was written, by the store's clock.
  public let stored: UTCTime
  /// Bytes of all its objects.
  public let bytes: Int
  /// The key of the object that holds it, where there is one.
  public let dataKey: String?
  /// The newest proof about it, and the newest one that passed.
  public let newestProof: Proof?
  public let newestPassedProof: Proof?

  public init(
    names: BackupNames, state: State, stored: UTCTime, bytes: Int, dataKey: String?,
    newestProof: Proof? = nil, newestPassedProof: Proof? = nil
  ) {
    self.names = names
    self.state = state
    self.stored = stored
    self.bytes = bytes
    self.dataKey = dataKey
    self.newestProof = newestProof
    self.newestPassedProof = newestPassedProof
  }

  public var id: BackupID { names.id }
  public var database: String { names.database }

  /// The manifest, where it could be read.
  public var manifest: Manifest? {
    switch state {
    case .complete(let manifest), .incomplete(let manifest, _): manifest
    case .newerFormat, .unreadable: nil
    }
  }

  /// Whether a whole database can be restored from it, as far as a listing can tell.
  public var isWhole: Bool {
    if case .complete(let manifest) = state { return !manifest.options.partial }
    return false
  }

  /// Why it is not complete; nil when it is.
  public var problem: String? {
    switch state {
    case .complete: nil
    case .incomplete(_, let why), .newerFormat(let why), .unreadable(let why): why
    }
  }
}

/// What an interrupted backup left: data without a manifest, or an unfinished write.
///
/// Another host may still be writing it, so only its age by the store's clock says more.
public struct Leftover: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case object
    case unfinishedWrite(UnfinishedWrite)
  }

  public let names: BackupNames
  public let key: String
  public let kind: Kind
  /// When it was last written or begun, by the store's clock.
  public let modified: UTCTime
  /// Bytes, where the store tells; unfinished writes do not.
  public let bytes: Int

  public init(names: BackupNames, key: String, kind: Kind, modified: UTCTime, bytes: Int) {
    self.names = names
    self.key = key
    self.kind = kind
    self.modified = modified
    self.bytes = bytes
  }
}
