/// The form of keys, the same for every store.
public enum ObjectKey {
  /// Throws ``ObjectStoreError/Code/invalidLocation`` for a key that some store could not hold:
  /// empty, longer than 1,024 bytes (S3's limit), with an empty component, `.` or `..` (a
  /// directory's own names), or with control characters (which XML 1.0 cannot carry).
  public static func check(_ key: String) throws {
    func refuse(_ why: String) -> ObjectStoreError {
      ObjectStoreError(.invalidLocation, "the object key \"\(printable(key))\" \(why)", key: key)
    }
    guard !key.isEmpty else { throw refuse("is empty") }
    guard key.utf8.count <= 1024 else { throw refuse("is longer than 1024 bytes") }
    guard key.unicodeScalars.allSatisfy(isAllowed) else {
      throw refuse("holds a control character")
    }
    for component in key.split(separator: "/", omittingEmptySubsequences: false) {
      switch component {
      case "": throw refuse("has an empty component")
      case ".", "..": throw refuse("has the component \(component), which names a folder")
      default: continue
      }
    }
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x20 && scalar.value != 0x7F && scalar.value != 0xFFFE
      && scalar.value != 0xFFFF
  }

  private static func printable(_ key: String) -> String {
    String(
      String.UnicodeScalarView(key.unicodeScalars.prefix(200).map { isAllowed($0) ? $0 : "?" }))
  }
}
