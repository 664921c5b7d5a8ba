/* The time object: a function whose clocks a laboratory moves. Preloaded, it answers for libc's clocks and timed waits.
 *
 * The clock page (THAWLAB_CLOCK) says how far the function's clocks are ahead of the machine's. Every reading adds it. A
 * timed wait keeps its deadline in the function's time, and the kernel gets what is left of it in real time. When the
 * page moves, the watcher signals each thread that waits with an old view of the page, and the wait is taken up again.
 * Without a page every function here is libc's own.
 *
 * It cannot stand for: system calls and vDSO made past libc (Go), io_uring, timers of the kernel that are not timerfds
 * (alarm, setitimer, timer_create, TCP), sigtimedwait, mq_timedreceive, SO_RCVTIMEO, C11's cnd_ and mtx_ waits, and what
 * libc itself waits for (its resolver).
 */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))
#pragma GCC visibility push(hidden)

enum { SLOTS = 64, NESTED = 4, POKE = 63, INTERRUPTED = 0, UNINTERRUPTED = 1 };
#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)
#define SLICE (5 * MILLISECOND) /* real time that a wait without a slot goes without looking at the page */
#define NEVER INT64_MAX

struct slot { /* a wait in progress */
  _Atomic uint32_t tid; /* 0: free */
  _Atomic uint32_t seen;
  _Atomic int64_t deadline; /* on the function's monotonic clock */
  _Atomic uint32_t pid;
  uint32_t spare[3];
};

struct page {
  char magic[8];
  _Atomic uint32_t generation;
  uint32_t unused1;
  _Atomic int64_t mono, wall;
  _Atomic uint32_t wake;
  uint32_t unused2;
  double kernel_speed;
  char unused3[16];
  _Atomic uint32_t attached;
  uint32_t unused4;
  _Atomic uint64_t readings;
  _Atomic int64_t last_mono, last_wall;
  _Atomic uint64_t waits, elapsed;
  _Atomic uint32_t woken;
  char unused5[12];
  struct slot slots[SLOTS];
};
_Static_assert(offsetof(struct page, mono) == 16 && offsetof(struct page, kernel_speed) == 40, "layout of the page");
_Static_assert(offsetof(struct page, attached) == 64 && offsetof(struct page, woken) == 112, "layout of the page");
_Static_assert(offsetof(struct page, slots) == 128 && sizeof(struct slot) == 32, "layout of the page");
enum { PAGE_SIZE = 4096 };

/* page.c */
extern struct page *_Atomic page; /* NULL: real time */
static inline struct page *the_page(void) { return atomic_load_explicit(&page, memory_order_acquire); }
void *real_function(const char *name); /* libc's own; NULL if it has none */
/* LIBC(name) finds libc's own function when the object is loaded: the loader's lock may be somebody else's later, in a
 * signal's handler or the child of a fork. REAL(name) makes it `real`; only a constructor may come too early for that. */
#define LIBC(name)                                                            \
  static __typeof__(&name) libc_##name;                                       \
  __attribute__((constructor(101))) static void find_##name(void) {           \
    *(void **)&libc_##name = real_function(#name);                            \
  }
#define REAL(name)                                   \
  __typeof__(&name) real = libc_##name;              \
  if (!real) *(void **)&real = real_function(#name)

/* clocks.c */
enum side { OTHER, MONO, WALL };
enum side side_of(clockid_t clock);
int real_clock(clockid_t clock, struct timespec *into); /* 0 or -1, as clock_gettime */
int64_t real_now(enum side side);
static inline int64_t offset_of(struct page *p, enum side side) {
  return atomic_load_explicit(side == WALL ? &p->wall : &p->mono, memory_order_relaxed);
}
int64_t now_of(struct page *p, enum side side); /* the function's time, not counted as a reading */

/* Nanoseconds, with NEVER for what does not fit. */
static inline int64_t added(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? NEVER : INT64_MIN) : sum;
}
static inline int64_t from_timespec(const struct timespec *t) {
  if (t->tv_sec >= NEVER / SECOND) return NEVER;
  if (t->tv_sec <= INT64_MIN / SECOND) return INT64_MIN;
  return t->tv_sec * SECOND + t->tv_nsec;
}
static inline struct timespec to_timespec(int64_t ns) {
  if (ns < 0) ns = 0;
  return (struct timespec){ns / SECOND, ns % SECOND};
}
static inline int valid(const struct timespec *t) { return t->tv_nsec >= 0 && t->tv_nsec < SECOND; }

/* wait.c */
struct wait {
  struct page *page;
  struct slot *slot; /* NULL: none was free, so the wait looks at the page every SLICE */
  enum side side;
  int kept;                       /* the kernel gets `until`: the signal's handler may move it */
  int64_t deadline;               /* the function's time on `side` */
  struct timespec until;          /* the same in real time */
  volatile sig_atomic_t poked;    /* the last call was interrupted by the watcher's signal */
  volatile sig_atomic_t ready;    /* filled, and not over */
  uint32_t seen;
  int over; /* counted as ended by a jump */
  int depth;
};
struct wait *wait_begin(struct wait *spare, struct page *p, enum side side, int64_t deadline, int kept);
void wait_refresh(struct wait *wait); /* compute `until` again, from the page as it is now */
void wait_calls(struct wait *wait);      /* it is about to call the kernel, for what is left of it */
int wait_interrupted(struct wait *wait); /* its call was interrupted by the watcher's signal, and by no other */
void wait_end(struct wait **wait);
int64_t wait_left(struct wait *wait); /* real nanoseconds of `until` that are left, at least 0 */
int wait_sliced(struct wait *wait);   /* only a slice is over, not the wait */
void handle_poke(void);               /* install the handler of the watcher's signal */
#define BEGIN(p, side, deadline, kept) \
  struct wait spare;                   \
  __attribute__((cleanup(wait_end))) struct wait *w = wait_begin(&spare, p, side, deadline, kept)

/* signals.c */
extern __thread volatile sig_atomic_t heard_signal /* a handler of the program's was called */
    __attribute__((tls_model("initial-exec")));
int real_sigaction(int number, const struct sigaction *action, struct sigaction *before);

/* watcher.c */
int watched(void); /* start this process's watcher if it has none; 0 if it cannot have one */
void watcher_moves(struct page *from); /* returns when the watcher has left this page for the current one */
void watcher_lost(void);               /* in the child of a fork: threads do not survive it */

/* timerfd.c */
void rearm_timers(struct page *p);

#pragma GCC visibility pop

/* A system call without libc: no errno, no thread-local storage. Returns -errno. */
#if defined(__x86_64__)
static inline long raw(long n, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static inline long raw(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "the time object knows x86_64 and aarch64"
#endif
