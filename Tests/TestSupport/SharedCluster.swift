import Synchronization

/// A place for one cluster that is started when it is first asked for, once, whoever asks.
final class SharedCluster: Sendable {
  private let cluster = Mutex<TemporaryCluster?>(nil)

  func get(_ make: () throws -> TemporaryCluster) throws -> TemporaryCluster {
    try cluster.withLock { cluster in
      if let cluster { return cluster }
      let made = try make()
      cluster = made
      return made
    }
  }
}
