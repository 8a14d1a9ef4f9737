import Foundation
import TestSupport

/// A library that is loaded before an executable's own, counts its calls that change files below
/// one folder (or read them too), and ends the process, or fails the call, at one of them.
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

    /// Whether reading fails as well: a full disk and a read-only one can be read.
    var failsReading: Bool { self != .full && self != .readOnly }
  }

  /// Which calls are counted.
  enum Scope {
    case changes
    case changesAndReads
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

  /// A run with the fault, and whether it got as far as that.
  ///
  /// - Parameters:
  ///   - number: of the call below `folder` that meets the fault, from 1.
  ///   - scope: the calls that are counted.
  static func run(
    _ tool: Tool, _ arguments: [String], _ fault: Fault, at number: Int, below folder: String,
    counting scope: Scope = .changes
  ) throws -> (outcome: Tool.Outcome, calls: Int) {
    let directory = try TestDirectory()
    let report = directory.file("calls")
    var environment = tool.environment.merging([
      "LD_PRELOAD": try library.get().1, "FAULT_FOLDER": folder, "FAULT_AT": "\(number)",
      "FAULT_KIND": fault.rawValue, "FAULT_REPORT": report,
    ]) { $1 }
    if scope == .changesAndReads { environment["FAULT_READS"] = "1" }
    let result = try Command.run(tool.path, arguments, environment: environment)
    // A byte for each call; no file where there was none.
    let calls = FileManager.default.contents(atPath: report)?.count ?? 0
    return (Tool.Outcome(result: result), calls)
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdatomic.h>
    #include <dirent.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    static atomic_int calls;
    static char watched[65536];

    static int below(const char *path) {
      const char *folder = getenv("FAULT_FOLDER");
      return folder && path && strncmp(path, folder, strlen(folder)) == 0;
    }

    /* Adds a byte to the report, by no function of this library. */
    static void note(void) {
      const char *path = getenv("FAULT_REPORT");
      if (!path) return;
      long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0644);
      if (file < 0) return;
      syscall(SYS_write, file, ".", 1);
      syscall(SYS_close, file);
    }

    /* Counts a call; not 0 when it is to fail, with errno set. */
    static int meets(int reading) {
      const char *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND");
      int number = atomic_fetch_add(&calls, 1) + 1;
      note();
      if (!at || !kind || number < atoi(at)) return 0;
      /* What can be read goes on being read. */
      if (reading && (!strcmp(kind, "ENOSPC") || !strcmp(kind, "EROFS"))) return 0;
      if (!strcmp(kind, "KILL")) { kill(getpid(), SIGKILL); pause(); }
      errno = !strcmp(kind, "ENOSPC") ? ENOSPC : !strcmp(kind, "EROFS") ? EROFS
        : !strcmp(kind, "EACCES") ? EACCES : EIO;
      return 1;
    }
    static int fails(void) { return meets(0); }
    static int fails_to_read(void) { return getenv("FAULT_READS") && meets(1); }

    #define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

    static int opened(int fd, const char *path) {
      if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = below(path);
      return fd;
    }

    static int changes(int flags) { return flags & (O_CREAT | O_WRONLY | O_RDWR); }

    int open(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list);
      if (below(path) && (changes(flags) ? fails() : fails_to_read())) return -1;
      return opened(REAL(open)(path, flags, mode), path);
    }
    int open64(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list);
      if (below(path) && (changes(flags) ? fails() : fails_to_read())) return -1;
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
    static int unreadable(int fd) {
      return fd >= 0 && fd < (int)sizeof watched && watched[fd] && fails_to_read();
    }
    ssize_t read(int fd, void *bytes, size_t count) {
      if (unreadable(fd)) return -1;
      return REAL(read)(fd, bytes, count);
    }
    ssize_t pread(int fd, void *bytes, size_t count, off_t offset) {
      if (unreadable(fd)) return -1;
      return REAL(pread)(fd, bytes, count, offset);
    }
    ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) {
      if (unreadable(fd)) return -1;
      return REAL(pread64)(fd, bytes, count, offset);
    }
    DIR *opendir(const char *path) {
      if (below(path) && fails_to_read()) return 0;
      return REAL(opendir)(path);
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
