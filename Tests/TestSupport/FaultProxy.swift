import Foundation
import Glibc
import Synchronization

/// Stands between a client and a server on 127.0.0.1, for any protocol, and does what networks and
/// hosts do: refuses, cuts, falls silent.
///
/// A fault holds for connections that are made after it was set, and for those only that its bytes
/// are counted on; `cut` is for those that are open.
public final class FaultProxy: Sendable {
  /// What befalls a connection.
  public enum Fault: Sendable {
    /// Nothing.
    case none
    /// It is reset as soon as it is made.
    case refuse
    /// It is reset after that many bytes went from the client to the server.
    case cutAfterBytesToServer(Int)
    /// It is reset after that many bytes went from the server to the client.
    case cutAfterBytesToClient(Int)
    /// After that many bytes to the client no more pass either way, and it stays open.
    case stallAfterBytesToClient(Int)
  }

  private struct State {
    var fault = Fault.none
    var faulty = 0
    var accepted = 0
    var cuts = 0
    var open: [ObjectIdentifier: LoopbackSocket] = [:]
  }

  /// The port to give to the client.
  public var port: Int { listener.port }
  private let state: Shared
  private let listener: LoopbackListener

  private final class Shared: Sendable {
    let value = Mutex(State())
  }

  /// Starts a proxy for the server on `port` of 127.0.0.1.
  public init(to port: Int) throws {
    let state = Shared()
    self.state = state
    listener = try LoopbackListener { client in
      let fault = state.value.withLock { state in
        state.accepted += 1
        guard state.faulty > 0 else { return Fault.none }
        state.faulty -= 1
        return state.fault
      }
      Self.serve(client, port: port, fault: fault, state: state)
    }
  }

  deinit {
    listener.stop()
    cut()
  }

  /// Sets what befalls the connections to come.
  /// - Parameter connections: how many of them; those after it are left alone.
  public func set(_ fault: Fault, connections: Int = Int.max) {
    state.value.withLock {
      $0.fault = fault
      $0.faulty = connections
    }
  }

  /// Resets all connections that are open now.
  public func cut() {
    let open = state.value.withLock { $0.open }
    for socket in open.values { socket.cut() }
  }

  /// The number of connections that were made up to now.
  public var connections: Int { state.value.withLock { $0.accepted } }
  /// The number of connections that a fault has ended up to now.
  public var cuts: Int { state.value.withLock { $0.cuts } }

  private static func serve(
    _ client: LoopbackSocket, port: Int, fault: Fault, state: Shared
  ) {
    if case .refuse = fault {
      state.value.withLock { $0.cuts += 1 }
      client.cut()
      return
    }
    guard let server = LoopbackSocket(to: port) else {
      client.cut()
      return
    }
    let ends = [client, server]
    state.value.withLock { for end in ends { $0.open[ObjectIdentifier(end)] = end } }
    var toServer = Int.max
    var toClient = Int.max
    var stalls = false
    switch fault {
    case .none, .refuse: break
    case .cutAfterBytesToServer(let count): toServer = count
    case .cutAfterBytesToClient(let count): toClient = count
    case .stallAfterBytesToClient(let count):
      toClient = count
      stalls = true
    }
    let done = DispatchSemaphore(value: 0)
    Thread { [toServer, stalls] in
      move(from: client, to: server, limit: toServer, stalls: stalls, ends: ends, state: state)
      done.signal()
    }.start()
    move(from: server, to: client, limit: toClient, stalls: stalls, ends: ends, state: state)
    done.wait()
    state.value.withLock { for end in ends { $0.open[ObjectIdentifier(end)] = nil } }
  }

  private static func move(
    from: LoopbackSocket, to: LoopbackSocket, limit: Int, stalls: Bool, ends: [LoopbackSocket],
    state: Shared
  ) {
    var left = limit
    while true {
      let bytes = from.read()
      if bytes.isEmpty { return to.finishWriting() }
      let passed = bytes.prefix(left)
      if !to.write(passed) { return from.cut() }
      left -= passed.count
      if left > 0 { continue }
      state.value.withLock { $0.cuts += 1 }
      if stalls {
        // Bytes are taken and kept from the other side until one end goes away.
        while !from.read().isEmpty {}
      } else {
        for end in ends { end.cut() }
      }
      return
    }
  }
}
