/* The page: mapping it, and finding libc's own functions. */
#include "shared.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct page *_Atomic page;

void *real_function(const char *name) {
  /* The condition variables of before 2.3.2 are still in libc, and dlsym may find those. */
  void *found = strncmp(name, "pthread_cond_", 13) ? NULL : dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
  return found ? found : dlsym(RTLD_NEXT, name);
}

static int refused(const char *path, const char *why) {
  int before = errno;
  char line[512];
  int length = snprintf(line, sizeof line, "thawlab: the clock page %s cannot be used (%s): time is real here\n", path,
                        why ? why : strerror(before));
  if (length > (int)sizeof line - 1) length = sizeof line - 1;
  if (write(STDERR_FILENO, line, length) < 0) return -1; /* nobody hears it */
  return -1;
}

/* Map another page from now on; 0, or -1 after a line on stderr. Called by a process that was forked from another one. */
EXPORT int thawlab_clock_attach(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return refused(path, NULL);
  struct stat stat;
  void *mapped = MAP_FAILED;
  if (!fstat(fd, &stat) && stat.st_size >= PAGE_SIZE)
    mapped = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  else
    errno = EINVAL;
  int before = errno;
  close(fd);
  errno = before;
  if (mapped == MAP_FAILED) return refused(path, NULL);
  if (memcmp(mapped, "THAWCLK1", 8)) {
    munmap(mapped, PAGE_SIZE);
    return refused(path, "it does not begin with THAWCLK1");
  }
  struct page *p = mapped;
  handle_poke();
  atomic_fetch_add(&p->attached, 1);
  struct page *was = atomic_exchange(&page, p); /* it stays mapped: another thread may be in a wait on it */
  if (watched() && was) watcher_moves(was);
  return 0;
}

static void forked(void) {
  watcher_lost();
  struct page *p = the_page();
  if (p) atomic_fetch_add(&p->attached, 1);
}

__attribute__((constructor(101))) static void begin(void) {
  int before = errno;
  pthread_atfork(NULL, NULL, forked);
  const char *path = getenv("THAWLAB_CLOCK");
  if (path && *path) thawlab_clock_attach(path);
  errno = before;
}
