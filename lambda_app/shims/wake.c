/* An uninterrupted wake: a wait for events goes on after a thaw, as in a stopped machine that was resumed.
 *
 * Every process-level freezer (SIGSTOP, cgroup) makes a blocked epoll_wait return EINTR at the thaw, and an event loop
 * that is interrupted runs its elapsed timers before it looks at its sockets. Preloaded, this takes the interruption
 * away: the wait is taken up again for what is left of its timeout (none, if it elapsed while frozen), so that it
 * reports what is ready, as the kernel of a resumed machine would have.
 *
 * It cannot stand for: programs that make the system call past libc (Go), and io_uring. A signal that has a handler of
 * its own does not end a wait either, as long as the process uses these calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left of a timeout in milliseconds that began at `since`; below zero stays for ever. */
static int left(int timeout, int64_t since) {
  if (timeout < 0) return timeout;
  int64_t rest = timeout - (now_ms() - since);
  return rest > 0 ? (int)rest : 0;
}

/* Takes up a wait for as long as it is interrupted. CPython judges by errno, not by the result, so errno is left as it
 * was found unless the wait failed for another reason. */
#define GO_ON(wait_for)                                        \
  int before = errno;                                          \
  int64_t since = now_ms();                                    \
  int found, rest = timeout;                                   \
  while ((found = (wait_for)) < 0 && errno == EINTR) rest = left(timeout, since); \
  if (found >= 0) errno = before;                              \
  return found;

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout) {
  static int (*real)(int, struct epoll_event *, int, int);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
  GO_ON(real(epoll, events, most, rest))
}

int epoll_pwait(int epoll, struct epoll_event *events, int most, int timeout, const sigset_t *mask) {
  static int (*real)(int, struct epoll_event *, int, int, const sigset_t *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "epoll_pwait");
  GO_ON(real(epoll, events, most, rest, mask))
}

int poll(struct pollfd *fds, nfds_t count, int timeout) {
  static int (*real)(struct pollfd *, nfds_t, int);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "poll");
  GO_ON(real(fds, count, rest))
}
