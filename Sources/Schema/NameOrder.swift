import Glibc
import Postgres

/// Puts many names in order: by kind, schema and name, byte by byte.
///
/// The names stand in one buffer, since comparing strings that each live on their own costs more
/// than everything else about the sorting of a hundred thousand.
struct NameOrder {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  mutating func append(_ kind: ObjectKind?, _ schema: SQLText, _ name: SQLText) {
    bytes.append(UInt8(truncatingIfNeeded: kind?.rawValue ?? 0))
    bytes += schema.bytes
    // No name holds this byte, so that a schema goes before those that begin with its name.
    bytes.append(0)
    bytes += name.bytes
    ends.append(bytes.count)
  }

  /// The positions of what was appended, in order; equal ones as they came.
  func positions() -> [Int] {
    var positions = Array(ends.indices)
    bytes.withUnsafeBytes { bytes in
      ends.withUnsafeBufferPointer { ends in
        positions.sort { left, right in
          let (leftStart, rightStart) = (
            left == 0 ? 0 : ends[left - 1], right == 0 ? 0 : ends[right - 1]
          )
          let (leftLength, rightLength) = (ends[left] - leftStart, ends[right] - rightStart)
          guard let base = bytes.baseAddress else { return left < right }
          let order = memcmp(base + leftStart, base + rightStart, min(leftLength, rightLength))
          if order != 0 { return order < 0 }
          return leftLength == rightLength ? left < right : leftLength < rightLength
        }
      }
    }
    return positions
  }
}

extension Array {
  /// The elements in the order of their schemas and names.
  func sorted(bySchema schema: (Element) -> SQLText, name: (Element) -> SQLText) -> [Element] {
    var order = NameOrder()
    for element in self { order.append(nil, schema(element), name(element)) }
    return order.positions().map { self[$0] }
  }
}
