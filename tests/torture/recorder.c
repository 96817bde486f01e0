/* Records what a process does to the files below DRUPE_RECORD_BELOW: preloaded into the server, written to DRUPE_RECORD_TO.

   A record: operation ('o' open, 'w' write, 't' truncate, 's' synced, 'u' unlinked), time (CLOCK_MONOTONIC ns, when the call had returned),
   length of the path, offset, length of the data; then path and data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int to = -1;

static int is_ours(int fd, char *path, size_t size) {
  char link[64];
  const char *below = getenv("DRUPE_RECORD_BELOW");
  struct stat found;
  if (!below || fstat(fd, &found) || !S_ISREG(found.st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, size - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return !strncmp(path, below, strlen(below)) && !strstr(path, "-shm");
}

static void record(char what, const char *path, int64_t offset, const void *data, int64_t length) {
  struct { int64_t what, at, path, offset, length; } head;
  struct timespec now;
  pthread_mutex_lock(&lock);
  if (to < 0 && getenv("DRUPE_RECORD_TO"))
    to = REAL(open)(getenv("DRUPE_RECORD_TO"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  clock_gettime(CLOCK_MONOTONIC, &now);
  head.what = what, head.at = now.tv_sec * 1000000000LL + now.tv_nsec, head.path = strlen(path), head.offset = offset, head.length = length;
  REAL(write)(to, &head, sizeof head);
  REAL(write)(to, path, head.path);
  if (data && length) REAL(write)(to, data, length);
  pthread_mutex_unlock(&lock);
}

#define WRITES(name, offset_type)                                                     \
  ssize_t name(int fd, const void *data, size_t size, offset_type at) {               \
    char path[4096];                                                                  \
    ssize_t done = REAL(name)(fd, data, size, at);                                    \
    if (done > 0 && is_ours(fd, path, sizeof path)) record('w', path, at, data, done); \
    return done;                                                                      \
  }
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
  char path[4096];
  int ours = is_ours(fd, path, sizeof path);
  int64_t at = ours ? lseek(fd, 0, SEEK_CUR) : 0;
  ssize_t done = REAL(write)(fd, data, size);
  if (done > 0 && ours) record('w', path, at, data, done);
  return done;
}

#define SYNCS(name)                                                                 \
  int name(int fd) {                                                                \
    char path[4096];                                                                \
    int done = REAL(name)(fd);                                                      \
    if (!done && is_ours(fd, path, sizeof path)) record('s', path, 0, NULL, 0);     \
    return done;                                                                    \
  }
SYNCS(fsync)
SYNCS(fdatasync)

int unlink(const char *path) {
  const char *below = getenv("DRUPE_RECORD_BELOW");
  int done = REAL(unlink)(path);
  if (!done && below && !strncmp(path, below, strlen(below)) && !strstr(path, "-shm")) record('u', path, 0, NULL, 0);
  return done;
}

#define TRUNCATES(name, type)                                                       \
  int name(int fd, type length) {                                                   \
    char path[4096];                                                                \
    int done = REAL(name)(fd, length);                                              \
    if (!done && is_ours(fd, path, sizeof path)) record('t', path, length, NULL, 0); \
    return done;                                                                    \
  }
TRUNCATES(ftruncate, off_t)
TRUNCATES(ftruncate64, off64_t)
