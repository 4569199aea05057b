// Preloaded into the programs under test (LD_PRELOAD): makes calls on files of one folder fail,
// wait or write less than asked, and shifts the clock. What to do stands in the environment:
//
//   FAULT_CALL      the function: open, write, fsync, rename, close, ftruncate, mkdir, unlink,
//   read,
//                   pwrite counts as write, fdatasync as fsync and so on
//   FAULT_UNDER     folder; other files are left alone
//   FAULT_NTH       the first call to fail, counted from 1 in each process
//   FAULT_ERRNO     its errno; 0: a write writes half of it
//   FAULT_LASTING   set: all later calls fail as well; otherwise one call fails, in one process
//   FAULT_PROGRAM   only in programs of this name
//   FAULT_FIRED     file that is created when it happens; so that it happens once
//   FAULT_DELAY_US  microseconds that every such call waits
//   FAULT_CLOCK     seconds by which the time of day jumps at the FAULT_NTHth look at it

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

struct Fault {
  const char* call = getenv("FAULT_CALL");
  const char* under = getenv("FAULT_UNDER");
  const char* program = getenv("FAULT_PROGRAM");
  const char* fired = getenv("FAULT_FIRED");
  long nth = number("FAULT_NTH");
  long error = number("FAULT_ERRNO");
  long delay_us = number("FAULT_DELAY_US");
  long clock = number("FAULT_CLOCK");
  bool lasting = getenv("FAULT_LASTING") != nullptr;
  bool here = program == nullptr || strcmp(program, program_invocation_short_name) == 0;
  std::atomic<long> count{0};

  static long number(const char* name) {
    const char* text = getenv(name);
    return text == nullptr ? 0 : strtol(text, nullptr, 10);
  }
};

Fault& fault() {
  static Fault only;
  return only;
}

/// System calls only: the functions of this file must not call each other.
bool note_fired() {
  const Fault& wanted = fault();
  if (wanted.fired == nullptr) return true;
  const long fd = syscall(SYS_openat, AT_FDCWD, wanted.fired, O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (fd >= 0) syscall(SYS_close, fd);
  return fd >= 0;
}

bool is_below(const char* path) {
  const char* under = fault().under;
  return under != nullptr && path != nullptr && strncmp(path, under, strlen(under)) == 0;
}

bool is_below(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  return is_below(path);
}

/// It is this call's turn to fail.
template <class Place>
bool fails(const char* call, Place place) {
  Fault& wanted = fault();
  if (!wanted.here || wanted.call == nullptr || strcmp(wanted.call, call) != 0) return false;
  const int before = errno;
  if (!is_below(place)) {
    errno = before;
    return false;
  }
  if (wanted.delay_us > 0) usleep(static_cast<useconds_t>(wanted.delay_us));
  const long number = ++wanted.count;
  errno = before;
  if (wanted.nth == 0 || number < wanted.nth || (number > wanted.nth && !wanted.lasting))
    return false;
  const bool first = note_fired();
  errno = before;
  return first || wanted.lasting;
}

int fail() {
  errno = static_cast<int>(fault().error);
  return -1;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

time_t shift_of_clock() {
  Fault& wanted = fault();
  if (!wanted.here || wanted.clock == 0 || ++wanted.count < wanted.nth) return 0;
  const int before = errno;
  note_fired();
  errno = before;
  return wanted.clock;
}

}  // namespace

// glibc declares some of these with attributes that a definition need not repeat.
#define SWEEP_OPEN(name)                                         \
  int name(const char* path, int flags, ...) {                   \
    va_list arguments;                                           \
    va_start(arguments, flags);                                  \
    const mode_t mode = mode_of(flags, arguments);               \
    va_end(arguments);                                           \
    if (fails("open", path)) return fail();                      \
    static auto* real = next<int(const char*, int, ...)>(#name); \
    return real(path, flags, mode);                              \
  }
#define SWEEP_ON_DESCRIPTOR(call, name, type, parameters, ...) \
  type name parameters {                                       \
    if (fails(call, fd)) return fail();                        \
    static auto* real = next<type parameters>(#name);          \
    return real(__VA_ARGS__);                                  \
  }
#define SWEEP_ON_PATH(call, name, parameters, ...)   \
  int name parameters {                              \
    if (fails(call, path)) return fail();            \
    static auto* real = next<int parameters>(#name); \
    return real(__VA_ARGS__);                        \
  }

extern "C" {

SWEEP_OPEN(open)
SWEEP_OPEN(open64)

ssize_t write(int fd, const void* data, size_t size) {
  static auto* real = next<ssize_t(int, const void*, size_t)>("write");
  if (!fails("write", fd)) return real(fd, data, size);
  return fault().error != 0 ? fail() : real(fd, data, (size + 1) / 2);
}

SWEEP_ON_DESCRIPTOR("write", pwrite, ssize_t, (int fd, const void* data, size_t size, off_t at), fd,
                    data, size, at)
SWEEP_ON_DESCRIPTOR("write", pwrite64, ssize_t, (int fd, const void* data, size_t size, off64_t at),
                    fd, data, size, at)
SWEEP_ON_DESCRIPTOR("read", read, ssize_t, (int fd, void* data, size_t size), fd, data, size)
SWEEP_ON_DESCRIPTOR("fsync", fsync, int, (int fd), fd)
SWEEP_ON_DESCRIPTOR("fsync", fdatasync, int, (int fd), fd)
SWEEP_ON_DESCRIPTOR("ftruncate", ftruncate, int, (int fd, off_t size), fd, size)
SWEEP_ON_DESCRIPTOR("ftruncate", ftruncate64, int, (int fd, off64_t size), fd, size)
SWEEP_ON_PATH("mkdir", mkdir, (const char* path, mode_t mode), path, mode)
SWEEP_ON_PATH("unlink", unlink, (const char* path), path)
SWEEP_ON_PATH("unlink", remove, (const char* path), path)
SWEEP_ON_PATH("rename", rename, (const char* path, const char* target), path, target)

int close(int fd) {
  static auto* real = next<int(int)>("close");
  const bool failing = fails("close", fd);
  const int status = real(fd);  // Linux closes it in any case
  return failing ? fail() : status;
}

int clock_gettime(clockid_t clock, timespec* now) {
  static auto* real = next<int(clockid_t, timespec*)>("clock_gettime");
  const int status = real(clock, now);
  if (clock == CLOCK_REALTIME && status == 0) now->tv_sec += shift_of_clock();
  return status;
}

time_t time(time_t* result) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
