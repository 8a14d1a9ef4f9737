import Glibc

/// The command line that `ps` shows.
enum ProcessTitle {
  /// Overwrites the passwords of database URLs among the arguments with `x`, in the memory that
  /// `/proc/PID/cmdline` shows. They are to be seen for the moments before this is called:
  /// environment variables are the better place.
  static func hidePasswords(of arguments: [String]) {
    let passwords = arguments.flatMap { Redactor.passwords(in: $0) }.map { Array($0.utf8) }
    guard !passwords.isEmpty, let area = argumentArea() else { return }
    for password in passwords {
      var start = 0
      while start + password.count <= area.count {
        if area[start..<start + password.count].elementsEqual(password) {
          for index in start..<start + password.count { area[index] = UInt8(ascii: "x") }
          start += password.count
        } else {
          start += 1
        }
      }
    }
  }

  /// Where the kernel put the arguments: fields 48 and 49 of `/proc/self/stat` (proc(5)).
  private static func argumentArea() -> UnsafeMutableBufferPointer<UInt8>? {
    guard let file = fopen("/proc/self/stat", "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    // The second field is the program's name in parentheses, and may hold spaces.
    guard let name = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: name)...].split(whereSeparator: \.isWhitespace)
    guard fields.count > 46, let start = UInt(fields[45]), let end = UInt(fields[46]),
      start > 0, end > start, end - start < 1 << 22,
      let pointer = UnsafeMutablePointer<UInt8>(bitPattern: start)
    else { return nil }
    return UnsafeMutableBufferPointer(start: pointer, count: Int(end - start))
  }
}
