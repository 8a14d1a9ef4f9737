public import ByteStream
public import ObjectStore
import Postgres
import Repository

/// Every object that a store holds of one cluster, as a listing shows them: what retention decides
/// about.
public struct PhysicalInventory: Sendable {
  /// An object of WAL or points, and the segment that it is about.
  struct SegmentObject: Sendable {
    var segment: WALSegment
    var info: ObjectInfo
    var isPiece: Bool
  }

  public let catalog: PhysicalCatalog
  /// Each base backup's manifest and other objects, also of those that have no manifest.
  let bases: [BackupID: [ObjectInfo]]
  /// By position.
  let wal: [SegmentObject]
  let points: [SegmentObject]
  let unfinished: [UnfinishedWrite]
  let marks: [ClusterMark]

  /// Lists what is stored of a cluster.
  public init(
    _ store: any ObjectStore, environment: String, systemIdentifier: String,
    cancellation: Cancellation = Cancellation()
  ) throws {
    // The catalog is read first: a base backup whose manifest appears afterwards is then an
    // unfinished one, which its age protects.
    let catalog = try PhysicalCatalog(
      store, environment: environment, systemIdentifier: systemIdentifier, points: .none,
      cancellation: cancellation)
    let layout = catalog.layout
    let size = catalog.archive?.segmentSize ?? WALSegment.defaultSize
    var bases: [BackupID: [ObjectInfo]] = [:]
    var wal: [SegmentObject] = []
    var points: [SegmentObject] = []
    var marks: [ClusterMark] = []
    try store.list(prefix: layout.prefix) { info in
      try cancellation.check()
      if let id = layout.base(of: info.key) {
        bases[id, default: []].append(info)
      } else if let segment = layout.segment(ofWAL: info.key, size: size) {
        let isPiece = info.key != layout.segmentKey(segment)
        wal.append(SegmentObject(segment: segment, info: info, isPiece: isPiece))
      } else if let segment = layout.segment(ofPoints: info.key, size: size) {
        points.append(SegmentObject(segment: segment, info: info, isPiece: false))
      } else if let mark = ClusterMark(info, layout) {
        marks.append(mark)
      }
    }
    self.catalog = catalog
    self.bases = bases
    self.wal = wal.sorted { $0.segment.number < $1.segment.number }
    self.points = points.sorted { $0.segment.number < $1.segment.number }
    self.marks = marks
    unfinished = try store.unfinished(prefix: layout.prefix)
  }

  /// When a base backup was whole: by the server's clock or the store's, whichever is later.
  func time(_ base: BaseManifest) -> UTCTime {
    let own = UTCTime(milliseconds: base.endTime / 1000)
    let key = catalog.layout.manifestKey(base.id)
    let stored = bases[base.id]?.first { $0.key == key }?.modified
    return max(own, stored ?? own)
  }

  /// When WAL or a whole base backup was last stored.
  var newest: UTCTime? {
    (catalog.bases.map { time($0) } + wal.map(\.info.modified)).max()
  }
}
