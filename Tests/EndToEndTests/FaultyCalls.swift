import Foundation
import TestSupport

/// A library that is loaded before an executable's own, counts its calls that change files below
/// one folder, and ends the process, or fails the call, at one of them.
struct FaultyCalls {
  /// What happens at the call whose number is reached.
  enum Fault: String, CaseIterable {
    /// SIGKILL before the call.
    case kill = "KILL"
    /// This call and all later ones fail: a full disk, a read-only remount, permissions that
    /// were taken away, a broken disk.
    case full = "ENOSPC"
    case readOnly = "EROFS"
    case denied = "EACCES"
    case broken = "EIO"
  }

  private static let library = Result<(TestDirectory, String), any Error> {
    let directory = try TestDirectory()
    let code = try directory.write(source, to: "faulty.c")
    let library = directory.file("faulty.so")
    let compiler = ["/usr/bin/cc", "/usr/bin/clang"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    try Command.check(
      compiler ?? "clang", ["-shared", "-fPIC", "-O1", "-o", library, code, "-ldl"])
    return (directory, library)
  }

  /// The variables for a run whose call `number` (from 1) below `folder` meets the fault.
  static func variables(_ fault: Fault, at number: Int, below folder: String) throws
    -> [String: String]
  {
    [
      "LD_PRELOAD": try library.get().1, "FAULT_FOLDER": folder, "FAULT_AT": "\(number)",
      "FAULT_KIND": fault.rawValue,
    ]
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdatomic.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>

    static atomic_int calls;
    static char watched[65536];

    static int below(const char *path) {
      const char *folder = getenv("FAULT_FOLDER");
      return folder && path && strncmp(path, folder, strlen(folder)) == 0;
    }

    /* Counts a call; not 0 when it is to fail, with errno set. */
    static int fails(void) {
      const char *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND");
      int number = atomic_fetch_add(&calls, 1) + 1;
      if (!at || !kind || number < atoi(at)) return 0;
      if (!strcmp(kind, "KILL")) { kill(getpid(), SIGKILL); pause(); }
      errno = !strcmp(kind, "ENOSPC") ? ENOSPC : !strcmp(kind, "EROFS") ? EROFS
        : !strcmp(kind, "EACCES") ? EACCES : EIO;
      return 1;
    }

    #define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

    static int opened(int fd, const char *path) {
      if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = below(path);
      return fd;
    }

    /* Reading goes on when a disk is full or read-only. */
    static int changes(int flags) { return flags & (O_CREAT | O_WRONLY | O_RDWR); }

    int open(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list);
      if (below(path) && changes(flags) && fails()) return -1;
      return opened(REAL(open)(path, flags, mode), path);
    }
    int open64(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list);
      if (below(path) && changes(flags) && fails()) return -1;
      return opened(REAL(open64)(path, flags, mode), path);
    }
    int close(int fd) {
      if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = 0;
      return REAL(close)(fd);
    }
    ssize_t write(int fd, const void *bytes, size_t count) {
      if (fd >= 0 && fd < (int)sizeof watched && watched[fd] && fails()) return -1;
      return REAL(write)(fd, bytes, count);
    }
    int fsync(int fd) {
      if (fd >= 0 && fd < (int)sizeof watched && watched[fd] && fails()) return -1;
      return REAL(fsync)(fd);
    }
    int rename(const char *from, const char *to) {
      if (below(to) && fails()) return -1;
      return REAL(rename)(from, to);
    }
    int link(const char *from, const char *to) {
      if (below(to) && fails()) return -1;
      return REAL(link)(from, to);
    }
    int unlink(const char *path) {
      if (below(path) && fails()) return -1;
      return REAL(unlink)(path);
    }
    int mkdir(const char *path, mode_t mode) {
      if (below(path) && fails()) return -1;
      return REAL(mkdir)(path, mode);
    }
    """
}
