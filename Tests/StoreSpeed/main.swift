// What scripts/bench store measures with: a file into a store, or out of it, by the same calls that
// a backup and a restore make.
//
// usage: StoreSpeed put|get KEY FILE     the store as for the executables: BACKUP_STORE and so on

import ByteStream
import Foundation
import ObjectStore

struct Usage: Error {}

let words = CommandLine.arguments
guard words.count == 4 else { throw Usage() }
let (verb, key, path) = (words[1], words[2], words[3])
let store = try StoreConfiguration.fromEnvironment(ProcessInfo.processInfo.environment).open()

switch verb {
case "put":
  guard let file = FileHandle(forReadingAtPath: path) else { throw Usage() }
  let size = Int(try file.seekToEnd())
  try file.seek(toOffset: 0)
  let sink = try store.writer(key, options: WriteOptions(expectedSize: size))
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
  while true {
    let count = read(file.fileDescriptor, buffer.baseAddress, buffer.count)
    guard count > 0 else { break }
    try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
  try sink.finish()
case "get":
  _ = FileManager.default.createFile(atPath: path, contents: nil)
  guard let file = FileHandle(forWritingAtPath: path) else { throw Usage() }
  try store.read(key) { bytes in
    var rest = bytes
    while !rest.isEmpty {
      let count = write(file.fileDescriptor, rest.baseAddress, rest.count)
      guard count > 0 else { throw POSIXError(.EIO) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
default: throw Usage()
}
