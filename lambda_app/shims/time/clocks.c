/* Readings of the clocks. */
#include "shared.h"
#include <sys/syscall.h>
#include <sys/time.h>

LIBC(gettimeofday)
LIBC(timespec_get)

typedef int (*getter)(clockid_t, struct timespec *);
static getter libc_clock;

/* Before it is found, the system call answers: a constructor or an allocator may ask very early. */
__attribute__((constructor(101))) static void find(void) { libc_clock = (getter)real_function("clock_gettime"); }

int real_clock(clockid_t clock, struct timespec *into) {
  if (libc_clock) return libc_clock(clock, into);
  long result = raw(SYS_clock_gettime, clock, (long)into, 0, 0, 0, 0);
  if (result == 0) return 0;
  errno = (int)-result;
  return -1;
}

enum side side_of(clockid_t clock) {
  switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return MONO;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return WALL;
    default: /* processor time */
      return OTHER;
  }
}

int64_t real_now(enum side side) {
  struct timespec now;
  real_clock(side == WALL ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
  return from_timespec(&now);
}

int64_t now_of(struct page *p, enum side side) { return added(real_now(side), offset_of(p, side)); }

/* What the function is told instead of the machine's `ns`. */
static int64_t told(struct page *p, enum side side, int64_t ns) {
  ns = added(ns, offset_of(p, side));
  atomic_fetch_add_explicit(&p->readings, 1, memory_order_relaxed);
  atomic_store_explicit(side == WALL ? &p->last_wall : &p->last_mono, ns, memory_order_relaxed);
  return ns;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *into) {
  int result = real_clock(clock, into);
  struct page *p = the_page();
  enum side side;
  if (!p || result || (side = side_of(clock)) == OTHER) return result;
  *into = to_timespec(told(p, side, from_timespec(into)));
  return 0;
}

EXPORT int gettimeofday(struct timeval *restrict into, void *restrict zone) {
  struct page *p = the_page();
  if (!p || zone) {
    REAL(gettimeofday);
    int result = real(into, zone);
    if (!p || result) return result;
  }
  struct timespec now;
  real_clock(CLOCK_REALTIME, &now);
  int64_t ns = told(p, WALL, from_timespec(&now));
  *into = (struct timeval){ns / SECOND, ns % SECOND / 1000};
  return 0;
}

EXPORT time_t time(time_t *into) {
  struct timespec now;
  real_clock(CLOCK_REALTIME_COARSE, &now); /* as libc's own does: it never shows a later second than others */
  struct page *p = the_page();
  time_t seconds = p ? told(p, WALL, from_timespec(&now)) / SECOND : now.tv_sec;
  if (into) *into = seconds;
  return seconds;
}

EXPORT int timespec_get(struct timespec *into, int base) {
  struct page *p = the_page();
  REAL(timespec_get);
  int result = real(into, base);
  if (p && result == TIME_UTC) *into = to_timespec(told(p, WALL, from_timespec(into)));
  return result;
}

EXPORT int __gettimeofday(struct timeval *into, void *zone) { return gettimeofday(into, zone); }
