/* Sleeps. */
#include "shared.h"
#include <unistd.h>

LIBC(clock_nanosleep)
LIBC(nanosleep)

static int real_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
  REAL(clock_nanosleep);
  return real(clock, flags, time, left);
}

/* 0, or EINTR if a signal of the program's own interrupted it. */
static int sleep_until(struct page *p, enum side side, int64_t deadline) {
  BEGIN(p, side, deadline, 1);
  int result, before = errno;
  do {
    wait_calls(w);
    result = real_clock_nanosleep(side == WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, TIMER_ABSTIME, &w->until, NULL);
  } while (result == EINTR ? wait_interrupted(w) : result == 0 && wait_sliced(w));
  errno = before;
  return result;
}

EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
  struct page *p = the_page();
  if (!p || !time || !valid(time) || time->tv_sec < 0 ||
      (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
    return real_clock_nanosleep(clock, flags, time, left);
  int64_t ns = from_timespec(time);
  if (flags & TIMER_ABSTIME) {
    if (clock == CLOCK_REALTIME) return sleep_until(p, WALL, ns);
    if (clock == CLOCK_BOOTTIME && ns != NEVER) {
      struct timespec boot;
      real_clock(CLOCK_BOOTTIME, &boot);
      ns -= from_timespec(&boot) - real_now(MONO);
    }
    return sleep_until(p, MONO, ns);
  }
  int64_t deadline = added(now_of(p, MONO), ns);
  int result = sleep_until(p, MONO, deadline);
  if (result == EINTR && left) *left = to_timespec(added(deadline, -now_of(p, MONO)));
  return result;
}

EXPORT int nanosleep(const struct timespec *time, struct timespec *left) {
  if (!the_page()) {
    REAL(nanosleep);
    return real(time, left);
  }
  int result = clock_nanosleep(CLOCK_MONOTONIC, 0, time, left);
  if (result == 0) return 0;
  errno = result;
  return -1;
}

EXPORT int usleep(useconds_t microseconds) {
  struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
  return nanosleep(&time, NULL);
}

EXPORT unsigned sleep(unsigned seconds) {
  struct timespec time = {seconds, 0}, left = {0, 0};
  int before = errno;
  if (nanosleep(&time, &left) == 0 || errno != EINTR) {
    errno = before;
    return 0;
  }
  return (unsigned)left.tv_sec + (left.tv_nsec > 0);
}

EXPORT int __nanosleep(const struct timespec *time, struct timespec *left) { return nanosleep(time, left); }
