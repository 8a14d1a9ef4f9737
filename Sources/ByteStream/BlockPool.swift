/// A fixed number of blocks: what bounds a pipeline's memory.
public final class BlockPool: Sendable {
  private struct State {
    var free: [Block] = []
    var made = 0
    var failure: (any Error)?
  }

  private let monitor = Monitor(State())
  private let limit: Int
  private let blockCapacity: Int

  /// - Parameters:
  ///   - limit: how many blocks there may be at once.
  ///   - blockCapacity: bytes in each.
  public init(limit: Int, blockCapacity: Int) {
    precondition(limit > 0 && blockCapacity > 0)
    self.limit = limit
    self.blockCapacity = blockCapacity
  }

  /// Takes an empty block, waiting for one to be given back if all are out.
  public func take() throws -> Block {
    try monitor.wait { state -> Block? in
      if let failure = state.failure { throw failure }
      if let block = state.free.popLast() { return block }
      guard state.made < limit else { return nil }
      state.made += 1
      return Block(capacity: blockCapacity)
    }
  }

  /// Gives a block back; whoever gives it must not use it again.
  public func giveBack(_ block: Block) {
    block.reset()
    monitor.update { $0.free.append(block) }
  }

  /// Makes everybody who takes, now or later, throw `error`. The first failure stays.
  public func fail(_ error: any Error) {
    monitor.update { state in
      if state.failure == nil { state.failure = error }
    }
  }
}
