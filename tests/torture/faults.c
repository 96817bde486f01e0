/* Makes the n-th call that writes, syncs or takes space fail: preloaded into Python, armed from there.

   Only calls on ordinary files count. With `sticky`, all calls from the n-th on fail, as on a full disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long target, seen;
static int code, sticky;

void torture_arm(long at, int with, int stays) { seen = 0, code = with, sticky = stays, target = at; }
long torture_seen(void) { return seen; }

static int fails(int fd) {
  struct stat found;
  long now;
  if (target <= 0 || (fd >= 0 && (fstat(fd, &found) || !S_ISREG(found.st_mode)))) return 0;
  now = __sync_add_and_fetch(&seen, 1);
  if (now != target && !(sticky && now > target)) return 0;
  errno = code;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CALL(type, name, fd, args, ...) \
  type name args { return fails(fd) ? (type)-1 : REAL(name)(__VA_ARGS__); }

CALL(ssize_t, write, fd, (int fd, const void *b, size_t n), fd, b, n)
CALL(ssize_t, pwrite, fd, (int fd, const void *b, size_t n, off_t o), fd, b, n, o)
CALL(ssize_t, pwrite64, fd, (int fd, const void *b, size_t n, off64_t o), fd, b, n, o)
CALL(int, fsync, fd, (int fd), fd)
CALL(int, fdatasync, fd, (int fd), fd)
CALL(int, ftruncate, fd, (int fd, off_t n), fd, n)
CALL(int, ftruncate64, fd, (int fd, off64_t n), fd, n)
CALL(int, fallocate, fd, (int fd, int m, off_t o, off_t n), fd, m, o, n)
CALL(int, msync, -1, (void *a, size_t n, int f), a, n, f)
CALL(int, mkdir, -1, (const char *p, mode_t m), p, m)
CALL(int, rename, -1, (const char *a, const char *b), a, b)
CALL(int, link, -1, (const char *a, const char *b), a, b)

int posix_fallocate(int fd, off_t o, off_t n) { return fails(fd) ? code : REAL(posix_fallocate)(fd, o, n); }
int posix_fallocate64(int fd, off64_t o, off64_t n) { return fails(fd) ? code : REAL(posix_fallocate64)(fd, o, n); }

#define OPENS(name, before, ...)                                     \
  {                                                                  \
    mode_t mode = 0;                                                 \
    if (flags & O_CREAT) {                                           \
      va_list rest;                                                  \
      va_start(rest, flags);                                         \
      mode = va_arg(rest, mode_t);                                   \
      va_end(rest);                                                  \
      if (fails(-1)) return -1;                                      \
    }                                                                \
    return REAL(name)(__VA_ARGS__, flags, mode);                     \
  }

int open(const char *path, int flags, ...) OPENS(open, , path)
int open64(const char *path, int flags, ...) OPENS(open64, , path)
int openat(int at, const char *path, int flags, ...) OPENS(openat, , at, path)
int openat64(int at, const char *path, int flags, ...) OPENS(openat64, , at, path)
