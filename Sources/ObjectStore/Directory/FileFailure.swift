import Glibc

/// What the operating system said about a file, as an error of the store.
enum FileFailure {
  /// - Parameters:
  ///   - what: "cannot write", "cannot read"…
  ///   - path: the file or folder.
  ///   - number: `errno`, taken by the caller before anything could change it.
  static func error(_ what: String, _ path: String, _ number: Int32, key: String? = nil)
    -> ObjectStoreError
  {
    let (code, advice): (ObjectStoreError.Code, String) =
      switch number {
      case ENOSPC: (.noSpace, "no space is left on that disk; free some, or choose another store")
      case EDQUOT: (.noSpace, "the disk quota is used up")
      case EFBIG: (.noSpace, "the file would be larger than the file system or ulimit allows")
      case EACCES, EPERM: (.denied, "permission denied for user id \(geteuid())")
      case EROFS: (.denied, "the file system is mounted read-only")
      case ENOENT: (.notFound, "there is no such file or folder")
      case EEXIST: (.alreadyExists, "it exists already")
      case ENOTDIR: (.invalidLocation, "a part of the path is a file, not a folder")
      case EISDIR: (.invalidLocation, "there is a folder of that name")
      case ELOOP: (.invalidLocation, "it is a symbolic link, which is not followed here")
      case ENAMETOOLONG: (.invalidLocation, "the name is too long for the file system")
      default: (.fileSystem, words(number))
      }
    return ObjectStoreError(code, "\(what) \(path): \(advice)", key: key)
  }

  private static func words(_ number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text)
  }
}
