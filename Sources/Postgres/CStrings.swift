import Glibc

/// Strings in the form that libpq's arrays take, freed when this goes.
final class CStrings {
  let pointers: [UnsafePointer<CChar>?]

  /// - Parameter values: without zero bytes; nil becomes a null pointer.
  init(_ values: [SQLText?]) {
    pointers = values.map { value in
      guard let value else { return nil }
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: value.bytes.count + 1)
      for (index, byte) in value.bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
      copy[value.bytes.count] = 0
      return UnsafePointer(copy)
    }
  }

  deinit { for pointer in pointers { pointer?.deallocate() } }
}
