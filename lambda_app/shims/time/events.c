/* Waits for events: epoll, poll, select. */
#include "shared.h"
#include <alloca.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

LIBC(epoll_wait)
LIBC(epoll_pwait)
LIBC(epoll_pwait2)
LIBC(poll)
LIBC(ppoll)
LIBC(pselect)
LIBC(select)

static int uninterrupted(struct page *p) { return atomic_load_explicit(&p->wake, memory_order_relaxed) == UNINTERRUPTED; }

/* Whether a wait that returned `found` is to be taken up again.
 *
 * A freezer makes epoll return EINTR at the thaw, and lets poll and select go on. So a jump does, whether the signal or
 * the thaw comes first. An uninterrupted wake hides that. A signal of the program's own is its own affair.
 */
static int again(struct wait *w, int found, int is_epoll) {
  if (found > 0) return 0;
  if (found == 0) return wait_sliced(w);
  if (errno != EINTR || heard_signal) return 0;
  if (!is_epoll) return wait_interrupted(w);
  if (uninterrupted(w->page)) return 1;
  if (atomic_load(&w->page->generation) == w->seen) return wait_interrupted(w);
  wait_refresh(w); /* it may have been the jump that ended it */
  errno = EINTR;
  return 0;
}

/* CPython judges by errno and not by the result, so errno is left as it was found unless the wait failed. */
#define TAKE_UP(call, is_epoll)            \
  int before = errno, found;               \
  do {                                     \
    wait_calls(w);                          \
    found = (call);                        \
  } while (again(w, found, is_epoll));     \
  if (found >= 0) errno = before;          \
  return found;

/* A wait without a limit is libc's own, unless a thaw is to be hidden. */
#define WITHOUT_LIMIT(call)                                                         \
  int before = errno, found;                                                        \
  do {                                                                              \
    heard_signal = 0;                                                               \
    found = (call);                                                                 \
  } while (found < 0 && errno == EINTR && uninterrupted(p) && !heard_signal);       \
  if (found >= 0) errno = before;                                                   \
  return found;

static int left_ms(struct wait *w) {
  int64_t ms = (wait_left(w) + MILLISECOND - 1) / MILLISECOND;
  return ms < INT_MAX ? (int)ms : INT_MAX;
}

static struct timespec left(struct wait *w) { return to_timespec(wait_left(w)); }

static int64_t after(struct page *p, int64_t ns) { return added(now_of(p, MONO), ns); }

/* The mask of a wait, with the watcher's signal let through. */
static const sigset_t *open_for_poke(const sigset_t *mask, sigset_t *into) {
  if (!mask) return NULL;
  *into = *mask;
  sigdelset(into, POKE);
  return into;
}

EXPORT int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout) {
  REAL(epoll_wait);
  struct page *p = the_page();
  if (!p || timeout == 0) return real(epoll, events, most, timeout);
  if (timeout < 0) { WITHOUT_LIMIT(real(epoll, events, most, -1)) }
  BEGIN(p, MONO, after(p, timeout * MILLISECOND), 0);
  TAKE_UP(real(epoll, events, most, left_ms(w)), 1)
}

EXPORT int epoll_pwait(int epoll, struct epoll_event *events, int most, int timeout, const sigset_t *given) {
  REAL(epoll_pwait);
  struct page *p = the_page();
  if (!p || timeout == 0) return real(epoll, events, most, timeout, given);
  if (timeout < 0) { WITHOUT_LIMIT(real(epoll, events, most, -1, given)) }
  sigset_t open;
  const sigset_t *mask = open_for_poke(given, &open);
  BEGIN(p, MONO, after(p, timeout * MILLISECOND), 0);
  TAKE_UP(real(epoll, events, most, left_ms(w), mask), 1)
}

static int is_zero(const struct timespec *t) { return t->tv_sec == 0 && t->tv_nsec == 0; }

EXPORT int epoll_pwait2(int epoll, struct epoll_event *events, int most, const struct timespec *timeout,
                        const sigset_t *given) {
  REAL(epoll_pwait2);
  if (!real) {
    errno = ENOSYS;
    return -1;
  }
  struct page *p = the_page();
  if (!p || (timeout && (is_zero(timeout) || !valid(timeout)))) return real(epoll, events, most, timeout, given);
  if (!timeout) { WITHOUT_LIMIT(real(epoll, events, most, NULL, given)) }
  sigset_t open;
  const sigset_t *mask = open_for_poke(given, &open);
  BEGIN(p, MONO, after(p, from_timespec(timeout)), 0);
  struct timespec rest;
  TAKE_UP((rest = left(w), real(epoll, events, most, &rest, mask)), 1)
}

EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout) {
  REAL(poll);
  struct page *p = the_page();
  if (!p || timeout <= 0) return real(fds, count, timeout);
  BEGIN(p, MONO, after(p, timeout * MILLISECOND), 0);
  TAKE_UP(real(fds, count, left_ms(w)), 0)
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *given) {
  REAL(ppoll);
  struct page *p = the_page();
  if (!p || !timeout || is_zero(timeout) || !valid(timeout)) return real(fds, count, timeout, given);
  sigset_t open;
  const sigset_t *mask = open_for_poke(given, &open);
  BEGIN(p, MONO, after(p, from_timespec(timeout)), 0);
  struct timespec rest;
  TAKE_UP((rest = left(w), real(fds, count, &rest, mask)), 0)
}

/* What libc does in a program that was built with _FORTIFY_SOURCE, after a check that the wait would make too. */
EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size) {
  if (size / sizeof *fds < count) __builtin_trap();
  return poll(fds, count, timeout);
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                       size_t size) {
  if (size / sizeof *fds < count) __builtin_trap();
  return ppoll(fds, count, timeout, mask);
}

EXPORT int pselect(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
                   const struct timespec *restrict timeout, const sigset_t *restrict given) {
  REAL(pselect);
  struct page *p = the_page();
  if (!p || !timeout || is_zero(timeout) || !valid(timeout) || count < 0 || count > 1 << 20)
    return real(count, reads, writes, others, timeout, given);
  sigset_t open;
  const sigset_t *mask = open_for_poke(given, &open);
  /* The end of a slice empties the sets, so they are kept. */
  size_t size = ((size_t)count + 63) / 64 * 8;
  fd_set *sets[3] = {reads, writes, others};
  char *kept = alloca(3 * size + 1);
  for (int i = 0; i < 3; i++)
    if (sets[i]) memcpy(kept + i * size, sets[i], size);
  BEGIN(p, MONO, after(p, from_timespec(timeout)), 0);
  struct timespec rest;
  int before = errno, found;
  for (;;) {
    wait_calls(w);
    rest = left(w);
    found = real(count, reads, writes, others, &rest, mask);
    if (!again(w, found, 0)) break;
    for (int i = 0; i < 3; i++)
      if (sets[i]) memcpy(sets[i], kept + i * size, size);
  }
  if (found >= 0) errno = before;
  return found;
}

EXPORT int select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
                  struct timeval *restrict timeout) {
  struct page *p = the_page();
  if (!p || !timeout || timeout->tv_sec < 0 || timeout->tv_usec < 0) {
    REAL(select);
    return real(count, reads, writes, others, timeout);
  }
  struct timespec limit = {timeout->tv_sec + timeout->tv_usec / 1000000, timeout->tv_usec % 1000000 * 1000};
  int64_t deadline = after(p, from_timespec(&limit));
  int found = pselect(count, reads, writes, others, &limit, NULL);
  int64_t rest = deadline - now_of(p, MONO); /* Linux tells what is left */
  if (rest < 0) rest = 0;
  *timeout = (struct timeval){rest / SECOND, rest % SECOND / 1000};
  return found;
}

EXPORT int __poll(struct pollfd *fds, nfds_t count, int timeout) { return poll(fds, count, timeout); }
EXPORT int __select(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *timeout) {
  return select(count, reads, writes, others, timeout);
}
