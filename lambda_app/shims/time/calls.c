/* System calls that a program makes by number through libc: those of Rust's std and of native extensions. */
#include "shared.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

typedef long (*caller)(long, long, long, long, long, long, long);
static caller libc_own;
__attribute__((constructor(101))) static void find(void) { libc_own = (caller)real_function("syscall"); }
static inline caller libc_syscall(void) { return libc_own ? libc_own : (caller)real_function("syscall"); }

/* FUTEX_WAIT takes how long, the others until when. */
static long futex(struct page *p, long word, long how, long value, const struct timespec *time, long second, long mask) {
  long command = how & FUTEX_CMD_MASK;
  enum side side = how & FUTEX_CLOCK_REALTIME || command == FUTEX_LOCK_PI ? WALL : MONO;
  int64_t deadline = from_timespec(time);
  if (command == FUTEX_WAIT) { /* the same, until when */
    how = (how & ~(FUTEX_CMD_MASK | FUTEX_CLOCK_REALTIME)) | FUTEX_WAIT_BITSET;
    mask = (long)FUTEX_BITSET_MATCH_ANY;
    side = MONO;
    deadline = added(now_of(p, MONO), deadline);
  }
  BEGIN(p, side, deadline, 1);
  long result;
  do {
    wait_calls(w);
    result = libc_syscall()(SYS_futex, word, how, value, (long)&w->until, second, mask);
  } while (result < 0 && errno == EINTR && wait_interrupted(w));
  if (result < 0 && errno == ETIMEDOUT && wait_sliced(w)) errno = EINTR; /* a wake-up may have come meanwhile */
  return result;
}

static int is_timed(long command) {
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI || command == 13; /* LOCK_PI2 */
}

/* With seven parameters instead of `...`, what is not ours is a jump to libc's own, in the caller's frame. */
EXPORT long thawlab_syscall(long number, long a, long b, long c, long d, long e, long f) __asm__("syscall");
EXPORT long thawlab_syscall(long number, long a, long b, long c, long d, long e, long f) {
  struct page *p = the_page();
  if (!p) return libc_syscall()(number, a, b, c, d, e, f);
  switch (number) {
    case SYS_futex: {
      const struct timespec *time = (const struct timespec *)d;
      if (!is_timed(b & FUTEX_CMD_MASK) || !time || !valid(time) || time->tv_sec < 0) break;
      return futex(p, a, b, c, time, e, f);
    }
    case SYS_clock_gettime:
      return clock_gettime((clockid_t)a, (struct timespec *)b);
    case SYS_nanosleep:
      return nanosleep((const struct timespec *)a, (struct timespec *)b);
    case SYS_clock_nanosleep: {
      int result = clock_nanosleep((clockid_t)a, (int)b, (const struct timespec *)c, (struct timespec *)d);
      if (result == 0) return 0;
      errno = result;
      return -1;
    }
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
      return epoll_wait((int)a, (struct epoll_event *)b, (int)c, (int)d);
    case SYS_poll:
      return poll((struct pollfd *)a, (nfds_t)b, (int)c);
#endif
    default:
      break;
  }
  return libc_syscall()(number, a, b, c, d, e, f);
}
