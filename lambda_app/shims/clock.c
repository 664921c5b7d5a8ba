/* A monotonic clock that stands still while the process is frozen, as after a restored snapshot.
 *
 * Preloaded, it answers clock_gettime(CLOCK_MONOTONIC and CLOCK_BOOTTIME) for everything that asks through libc. A thread
 * looks at the clock every few milliseconds; when nobody looked for longer than a freeze is at the least, the process
 * was frozen, and that time is taken off. The wall clock goes on, as it does after a restore once the time was set.
 *
 * A process that got no processor for as long as a freeze looks frozen too; what is taken off then is time in which it
 * did nothing.
 *
 * It cannot stand for: timers of the kernel, which go on (a wait in epoll or a timerfd elapses as if nothing was taken
 * off, and a deadline handed to the kernel as a time of this clock, as for a condition variable, elapses too early by
 * what was taken off); the raw system call and the vDSO called past libc (Go). In a restored machine the kernel's own
 * clock stands still, and all of that with it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

enum { LOOK_NS = 5 * 1000 * 1000, FREEZE_NS = 150 * 1000 * 1000 };

typedef int (*getter)(clockid_t, struct timespec *);
static getter real_clock_gettime;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_look, frozen;

static int64_t look(void) {
  struct timespec now;
  real_clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  pthread_mutex_lock(&lock);
  if (last_look && ns - last_look > FREEZE_NS) frozen += ns - last_look;
  if (ns > last_look) last_look = ns;
  int64_t off = frozen;
  pthread_mutex_unlock(&lock);
  return off;
}

static void *watch(void *unused) {
  (void)unused;
  struct timespec pause = {0, LOOK_NS};
  for (;;) {
    nanosleep(&pause, NULL);
    look();
  }
  return NULL;
}

static void start_watching(void) {
  pthread_t thread;
  pthread_mutex_init(&lock, NULL); /* in a fork's child another thread may have had it */
  last_look = 0;
  pthread_create(&thread, NULL, watch, NULL);
}

__attribute__((constructor)) static void begin(void) {
  real_clock_gettime = (getter)dlsym(RTLD_NEXT, "clock_gettime");
  pthread_atfork(NULL, NULL, start_watching); /* threads do not survive a fork */
  start_watching();
}

int clock_gettime(clockid_t clock, struct timespec *into) {
  if (!real_clock_gettime) real_clock_gettime = (getter)dlsym(RTLD_NEXT, "clock_gettime");
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME) return real_clock_gettime(clock, into);
  int64_t off;
  int result;
  do { /* again, if a freeze fell between the two looks: else the time could go back, or jump */
    off = look();
    result = real_clock_gettime(clock, into);
  } while (look() != off);
  if (result == 0) {
    int64_t ns = (int64_t)into->tv_sec * 1000000000 + into->tv_nsec - off;
    into->tv_sec = ns / 1000000000;
    into->tv_nsec = ns % 1000000000;
  }
  return result;
}
