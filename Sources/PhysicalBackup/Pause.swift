import Glibc

/// Short sleeps of a thread of our own.
enum Pause {
  static func milliseconds(_ count: Int) {
    usleep(UInt32(count) * 1000)
  }
}
