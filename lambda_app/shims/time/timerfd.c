/* Timers that are files: the watcher arms them again when the page moves. */
#include "shared.h"
#include <poll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

LIBC(timerfd_create)
LIBC(timerfd_settime)

enum { TIMERS = 64 };

static struct timer {
  _Atomic int fd; /* plus one; 0: free */
  _Atomic int clock;
  _Atomic int64_t offset; /* of the page, that the kernel's deadline was made with */
} timers[TIMERS];

static struct timer *timer_of(int fd) {
  for (int i = 0; i < TIMERS; i++)
    if (atomic_load(&timers[i].fd) == fd + 1) return &timers[i];
  return NULL;
}

static struct timer *timer_for(int fd) {
  struct timer *known = timer_of(fd);
  for (int i = 0; i < TIMERS && !known; i++) {
    int none = 0;
    if (atomic_compare_exchange_strong(&timers[i].fd, &none, fd + 1)) known = &timers[i];
  }
  return known;
}

EXPORT int timerfd_create(int clock, int flags) {
  REAL(timerfd_create);
  int fd = real(clock, flags);
  if (fd < 0 || !the_page() || side_of(clock) == OTHER) return fd;
  struct timer *timer = timer_for(fd); /* a timer that was closed may have had this number */
  if (timer) {
    atomic_store(&timer->clock, clock);
    atomic_store(&timer->offset, offset_of(the_page(), side_of(clock)));
  }
  return fd;
}

EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before) {
  REAL(timerfd_settime);
  struct page *p = the_page();
  struct timer *timer = p ? timer_of(fd) : NULL;
  if (!timer || !to) return real(fd, flags, to, before);
  struct itimerspec armed = *to;
  int result;
  int64_t offset;
  do { /* again, if the page moved before the watcher could know */
    offset = offset_of(p, side_of(atomic_load(&timer->clock)));
    if (flags & TFD_TIMER_ABSTIME && (to->it_value.tv_sec || to->it_value.tv_nsec) && valid(&to->it_value)) {
      int64_t until = added(from_timespec(&to->it_value), -offset);
      armed.it_value = to_timespec(until > 0 ? until : 1); /* zero would disarm it */
    }
    result = real(fd, flags, &armed, before);
    atomic_store(&timer->offset, offset);
  } while (offset_of(p, side_of(atomic_load(&timer->clock))) != offset && result == 0 && flags & TFD_TIMER_ABSTIME);
  return result;
}

static int is_readable(int fd) {
  struct pollfd look = {.fd = fd, .events = POLLIN};
  struct timespec none = {0, 0};
  return raw(SYS_ppoll, (long)&look, 1, (long)&none, 0, 0, 0) > 0;
}

static void rearm(struct page *p, struct timer *timer) {
  int fd = atomic_load(&timer->fd) - 1, clock = atomic_load(&timer->clock);
  int64_t offset = offset_of(p, side_of(clock)), by = offset - atomic_load(&timer->offset);
  struct itimerspec armed;
  if (fd < 0 || by == 0) return;
  atomic_store(&timer->offset, offset);
  if (raw(SYS_timerfd_gettime, fd, (long)&armed, 0, 0, 0, 0)) {
    atomic_store(&timer->fd, 0); /* it was closed */
    return;
  }
  int64_t rest = from_timespec(&armed.it_value);
  if (rest == 0) return; /* not armed, or it has fired */
  struct timespec now;
  if (raw(SYS_clock_gettime, clock, (long)&now, 0, 0, 0, 0)) return;
  int64_t until = added(from_timespec(&now), rest - by);
  if (is_readable(fd)) until -= from_timespec(&armed.it_interval); /* arming forgets what was not read yet */
  armed.it_value = to_timespec(until > 0 ? until : 1);
  raw(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, (long)&armed, 0, 0, 0);
}

void rearm_timers(struct page *p) {
  for (int i = 0; i < TIMERS; i++) rearm(p, &timers[i]);
}
