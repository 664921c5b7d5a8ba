/* Waits for a minute in one way, and tells what that returned and how long it took by its own clock. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static struct timespec in_a_minute(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  t.tv_sec += 60;
  return t;
}

static int word;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static void *hold(void *ready) {
  pthread_mutex_lock(&held);
  sem_post(ready);
  pause();
  return NULL;
}

static void *wait_for(void *kind) {
  struct timespec minute = {60, 0}, wall = in_a_minute(CLOCK_REALTIME);
  pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  sem_t sem;
  sem_init(&sem, 0, 0);
  pthread_mutex_lock(&mutex);
  switch ((long)kind) {
    case 0: nanosleep(&minute, NULL); break;
    case 1: pthread_cond_timedwait(&cond, &mutex, &wall); break;
    case 2: sem_timedwait(&sem, &wall); break;
    default: poll(NULL, 0, 60000);
  }
  return kind;
}

static long cancelled(void) {
  for (long kind = 0; kind < 4; kind++) {
    pthread_t thread;
    void *value;
    pthread_create(&thread, NULL, wait_for, (void *)kind);
    usleep(10000); /* so that it mostly waits already; if not, it is cancelled as its wait begins */
    pthread_cancel(thread);
    pthread_join(thread, &value);
    if (value != PTHREAD_CANCELED) return 1;
  }
  return 0;
}

static long futex(int how, struct timespec *t) {
  return syscall(SYS_futex, &word, how, 0, t, NULL, FUTEX_BITSET_MATCH_ANY) == -1 ? errno : 0;
}

static uint64_t ticks(clockid_t clock, int flags, struct itimerspec *at) {
  int fd = timerfd_create(clock, 0);
  uint64_t count = 0;
  timerfd_settime(fd, flags, at, NULL);
  struct pollfd look = {.fd = fd, .events = POLLIN};
  ppoll(&look, 1, NULL, NULL);
  if (read(fd, &count, sizeof count) < 0) return 0;
  close(fd);
  return count;
}

int main(int argc, char **argv) {
  const char *kind = argv[argc - 1];
  struct timespec minute = {60, 0}, mono = in_a_minute(CLOCK_MONOTONIC), wall = in_a_minute(CLOCK_REALTIME), began, ended;
  struct itimerspec once = {{0, 0}, {60, 0}}, often = {{10, 0}, {10, 0}}, until = {{0, 0}, mono}, until_wall = {{0, 0}, wall};
  clock_gettime(CLOCK_MONOTONIC, &began);
  puts("ready");
  fflush(stdout);
  long result = -1;
  pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  sem_t sem, other;
  sem_init(&sem, 0, 0);
  sem_init(&other, 0, 0);
  if (!strcmp(kind, "futex")) result = futex(FUTEX_WAIT_PRIVATE, &minute);
  if (!strcmp(kind, "futex-until")) result = futex(FUTEX_WAIT_BITSET_PRIVATE, &mono);
  if (!strcmp(kind, "futex-until-wall")) result = futex(FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, &wall);
  if (!strcmp(kind, "timerfd")) result = ticks(CLOCK_MONOTONIC, 0, &once) == 1 ? ETIMEDOUT : 0;
  if (!strcmp(kind, "timerfd-until")) result = ticks(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, &until) == 1 ? ETIMEDOUT : 0;
  if (!strcmp(kind, "timerfd-until-wall")) result = ticks(CLOCK_REALTIME, TFD_TIMER_ABSTIME, &until_wall) == 1 ? ETIMEDOUT : 0;
  if (!strcmp(kind, "timerfd-often")) result = ticks(CLOCK_MONOTONIC, 0, &often) == 6 ? ETIMEDOUT : 0;
  if (!strcmp(kind, "nanosleep")) result = nanosleep(&minute, NULL) ? errno : ETIMEDOUT;
  if (!strcmp(kind, "sleep")) result = sleep(60) ? EINTR : ETIMEDOUT;
  if (!strcmp(kind, "usleep")) result = usleep(60000000) ? errno : ETIMEDOUT;
  if (!strcmp(kind, "clock_nanosleep")) result = clock_nanosleep(CLOCK_REALTIME, 0, &minute, NULL) ? EINTR : ETIMEDOUT;
  if (!strcmp(kind, "clock_nanosleep-until")) result = clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &wall, NULL) ? EINTR : ETIMEDOUT;
  if (!strcmp(kind, "ppoll")) result = ppoll(NULL, 0, &minute, NULL) ? errno : ETIMEDOUT;
  if (!strcmp(kind, "pselect")) result = pselect(0, NULL, NULL, NULL, &minute, NULL) ? errno : ETIMEDOUT;
  if (!strcmp(kind, "poll")) result = poll(NULL, 0, 60000) ? errno : ETIMEDOUT;
  if (!strcmp(kind, "sem")) result = sem_timedwait(&sem, &wall) ? errno : 0;
  if (!strcmp(kind, "sem-clock")) result = sem_clockwait(&sem, CLOCK_MONOTONIC, &mono) ? errno : 0;
  if (!strcmp(kind, "cancel")) result = cancelled();
  pthread_mutex_lock(&mutex);
  if (!strcmp(kind, "cond")) result = pthread_cond_timedwait(&cond, &mutex, &wall);
  if (!strcmp(kind, "cond-mono")) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&cond, &attr);
    result = pthread_cond_timedwait(&cond, &mutex, &mono);
  }
  if (!strcmp(kind, "cond-clock")) result = pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &mono);
  if (!strncmp(kind, "mutex", 5) || !strcmp(kind, "join")) {
    pthread_t thread;
    pthread_create(&thread, NULL, hold, &other);
    sem_wait(&other);
    if (!strcmp(kind, "mutex")) result = pthread_mutex_timedlock(&held, &wall);
    if (!strcmp(kind, "mutex-clock")) result = pthread_mutex_clocklock(&held, CLOCK_MONOTONIC, &mono);
    if (!strcmp(kind, "join")) result = pthread_timedjoin_np(thread, NULL, &wall);
  }
  clock_gettime(CLOCK_MONOTONIC, &ended);
  printf("[%ld, %.9f]\n", result, ended.tv_sec - began.tv_sec + (ended.tv_nsec - began.tv_nsec) / 1e9);
  return 0;
}
