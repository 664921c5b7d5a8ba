/* Timed waits for condition variables, semaphores, locks and threads.
 *
 * All take an absolute deadline. libc hands the kernel a pointer to it, and again after an interruption; it points into
 * the wait here, so that the handler of the watcher's signal moves it.
 */
#include "shared.h"
#include <semaphore.h>

LIBC(pthread_cond_timedwait)
LIBC(pthread_cond_clockwait)
LIBC(sem_timedwait)
LIBC(sem_clockwait)
LIBC(pthread_timedjoin_np)
LIBC(pthread_clockjoin_np)

enum { MONOTONIC_BIT = 2 }; /* in a condition variable's __wrefs, since glibc 2.25 */

/* The time is libc's own business without a page, or if it is to be refused. */
#define PLAIN(p, at, side) (!(p) || !valid(at) || (side) == OTHER)
static enum side of_wait(clockid_t clock) {
  return clock == CLOCK_MONOTONIC ? MONO : clock == CLOCK_REALTIME ? WALL : OTHER;
}

/* After a slice it returns as if woken: the mutex was free meanwhile, so a wake-up for this thread may be over. */
#define COND(call, side)                          \
  BEGIN(p, side, from_timespec(at), 1);           \
  int result = (call);                            \
  return result == ETIMEDOUT && wait_sliced(w) ? 0 : result;

EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                                  const struct timespec *restrict at) {
  REAL(pthread_cond_timedwait);
  struct page *p = the_page();
  if (PLAIN(p, at, MONO)) return real(cond, mutex, at);
  enum side side = cond->__data.__wrefs & MONOTONIC_BIT ? MONO : WALL;
  COND(real(cond, mutex, &w->until), side)
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex, clockid_t clock,
                                  const struct timespec *restrict at) {
  REAL(pthread_cond_clockwait);
  if (!real) return ENOSYS;
  struct page *p = the_page();
  enum side side = of_wait(clock);
  if (PLAIN(p, at, side)) return real(cond, mutex, clock, at);
  COND(real(cond, mutex, clock, &w->until), side)
}

#define SEM(call, side)                                                                        \
  int before = errno, result;                                                                  \
  if (sem_trywait(sem) == 0) return 0;                                                         \
  BEGIN(p, side, from_timespec(at), 1);                                                        \
  do {                                                                                         \
    wait_calls(w);                                                                              \
    result = (call);                                                                           \
  } while (result < 0 && ((errno == EINTR && wait_interrupted(w)) || (errno == ETIMEDOUT && wait_sliced(w)))); \
  if (result == 0) errno = before;                                                             \
  return result;

EXPORT int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict at) {
  REAL(sem_timedwait);
  struct page *p = the_page();
  if (PLAIN(p, at, WALL)) return real(sem, at);
  SEM(real(sem, &w->until), WALL)
}

EXPORT int sem_clockwait(sem_t *restrict sem, clockid_t clock, const struct timespec *restrict at) {
  REAL(sem_clockwait);
  if (!real) {
    errno = ENOSYS;
    return -1;
  }
  struct page *p = the_page();
  enum side side = of_wait(clock);
  if (PLAIN(p, at, side)) return real(sem, clock, at);
  SEM(real(sem, clock, &w->until), side)
}

/* For what neither a signal nor a spurious wake-up may end. */
#define LOCK(call, side)                              \
  BEGIN(p, side, from_timespec(at), 1);               \
  int result;                                         \
  do {                                                \
    wait_refresh(w);                                  \
    result = (call);                                  \
  } while (result == ETIMEDOUT && wait_sliced(w));    \
  return result;

/* Each comes as NAME(lock, at) for the wall clock and as CLOCK_NAME(lock, clock, at). */
#define LOCKS(type, timed, clocked)                                            \
  LIBC(timed)                                                                  \
  LIBC(clocked)                                                                \
  EXPORT int timed(type *restrict lock, const struct timespec *restrict at) {  \
    REAL(timed);                         \
    struct page *p = the_page();                                               \
    if (PLAIN(p, at, WALL)) return real(lock, at);                             \
    LOCK(real(lock, &w->until), WALL)                                          \
  }                                                                            \
  EXPORT int clocked(type *restrict lock, clockid_t clock, const struct timespec *restrict at) { \
    REAL(clocked);            \
    if (!real) return ENOSYS;                                                  \
    struct page *p = the_page();                                               \
    enum side side = of_wait(clock);                                           \
    if (PLAIN(p, at, side)) return real(lock, clock, at);                      \
    LOCK(real(lock, clock, &w->until), side)                                   \
  }

LOCKS(pthread_mutex_t, pthread_mutex_timedlock, pthread_mutex_clocklock)
LOCKS(pthread_rwlock_t, pthread_rwlock_timedrdlock, pthread_rwlock_clockrdlock)
LOCKS(pthread_rwlock_t, pthread_rwlock_timedwrlock, pthread_rwlock_clockwrlock)

EXPORT int pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *at) {
  REAL(pthread_timedjoin_np);
  struct page *p = the_page();
  if (!at || PLAIN(p, at, WALL)) return real(thread, value, at);
  LOCK(real(thread, value, &w->until), WALL)
}

EXPORT int pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock, const struct timespec *at) {
  REAL(pthread_clockjoin_np);
  if (!real) return ENOSYS;
  struct page *p = the_page();
  enum side side = of_wait(clock);
  if (!at || PLAIN(p, at, side)) return real(thread, value, clock, at);
  LOCK(real(thread, value, clock, &w->until), side)
}
