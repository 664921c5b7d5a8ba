/* The watcher: a thread that waits for the page to move, and signals the waits that do not know yet.
 *
 * It is a thread of the kernel's and not of libc's: it can be started from a constructor and from within any wait, it
 * does not keep a process alive whose main thread called pthread_exit, and it needs no lock of libc's after a fork. In
 * return it may call nothing of libc's, and has only raw system calls.
 */
#include "shared.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

enum { STACK = 32768, STORAGE = 4096 };

static _Atomic uint32_t watched_pid; /* 0: none */
static struct page *_Atomic looked_at; /* the page that this process's watcher waits on */
static char stack[STACK] __attribute__((aligned(16)));
static char storage[STORAGE] __attribute__((aligned(64))); /* stands for thread-local storage, so that reads of it work */

static void look_again(void) {
  struct timespec pause = {0, MILLISECOND};
  raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&pause, 0, 0, 0);
}

/* Signals each thread whose wait has not seen this generation; returns how many waits there are, of any process. */
static int poke(struct page *p, uint32_t generation, uint32_t pid) {
  int old = 0;
  for (int i = 0; i < SLOTS; i++) {
    struct slot *slot = &p->slots[i];
    uint32_t tid = atomic_load(&slot->tid);
    if (!tid || atomic_load_explicit(&slot->seen, memory_order_acquire) == generation) continue;
    uint32_t owner = atomic_load_explicit(&slot->pid, memory_order_acquire);
    long result = !owner         ? 0 /* its thread is just taking it */
                  : owner == pid ? raw(SYS_tgkill, pid, tid, POKE, 0, 0, 0) : raw(SYS_kill, owner, 0, 0, 0, 0, 0);
    if (result == -ESRCH && owner && atomic_compare_exchange_strong(&slot->pid, &owner, 0)) { /* killed in its wait */
      atomic_store_explicit(&slot->deadline, NEVER, memory_order_relaxed);
      atomic_store(&slot->tid, 0);
    } else {
      old++;
    }
  }
  return old;
}

static int watch(void *unused) {
  (void)unused;
  uint32_t pid = (uint32_t)raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
  struct page *known = NULL;
  uint32_t done = 0;
  for (;;) {
    struct page *p = the_page();
    uint32_t generation = atomic_load(&p->generation);
    atomic_store(&looked_at, p);
    if (p != known || generation != done) {
      rearm_timers(p);
      while (poke(p, generation, pid) && atomic_load(&p->generation) == generation) look_again();
      if (atomic_load(&p->generation) != generation) continue;
      atomic_store(&p->woken, generation);
      known = p, done = generation;
    }
    raw(SYS_futex, (long)&p->generation, FUTEX_WAIT, generation, 0, 0, 0);
  }
  return 0;
}

int watched(void) {
  uint32_t pid = (uint32_t)raw(SYS_getpid, 0, 0, 0, 0, 0, 0), none = 0;
  if (atomic_load(&watched_pid) == pid) return 1;
  /* Not the child of a vfork: it runs in its parent's memory, on whose stack the parent's watcher is. */
  if (!atomic_compare_exchange_strong(&watched_pid, &none, pid)) return none == pid;
  uint64_t all = ~UINT64_C(0), before;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all, 0, 0);
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS;
  int error = errno;
  int thread = clone(watch, stack + STACK, flags, NULL, NULL, storage + STORAGE / 2, NULL);
  errno = error;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before, 0, 0);
  if (thread > 0) return 1;
  atomic_store(&watched_pid, 0);
  return 0;
}

void watcher_moves(struct page *from) {
  struct page *p = the_page();
  while (atomic_load(&looked_at) != p) {
    raw(SYS_futex, (long)&from->generation, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
    look_again();
  }
}

void watcher_lost(void) { atomic_store(&watched_pid, 0); }
