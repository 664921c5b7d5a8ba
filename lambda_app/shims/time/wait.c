/* Timed waits: their slots in the page, and what the watcher's signal does to them. */
#include "shared.h"
#include <sys/syscall.h>
#include <ucontext.h>


#define POKE_BIT (UINT64_C(1) << (POKE - 1))

/* In thread-local storage and not on the stack: the signal's handler writes to it, and a program may leave a wait by
 * longjmp. A wait within a wait is one of a signal's handler. */
static __thread struct wait waits[NESTED] __attribute__((tls_model("initial-exec")));
static __thread volatile int depth __attribute__((tls_model("initial-exec")));

static struct slot *claimed(struct page *p) {
  uint32_t tid = (uint32_t)raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
  uint32_t pid = (uint32_t)raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
  for (uint32_t i = 0; i < SLOTS; i++) {
    struct slot *slot = &p->slots[(tid + i) % SLOTS];
    uint32_t none = 0;
    if (atomic_load_explicit(&slot->tid, memory_order_relaxed) == 0 &&
        atomic_compare_exchange_strong(&slot->tid, &none, tid)) {
      atomic_store_explicit(&slot->pid, pid, memory_order_release);
      return slot;
    }
  }
  return NULL;
}

struct wait *wait_begin(struct wait *spare, struct page *p, enum side side, int64_t deadline, int kept) {
  uint64_t poke = POKE_BIT;
  int mine = depth;
  struct wait *w = mine < NESTED ? &waits[mine] : spare;
  if (w != spare) depth = mine + 1; /* before it is filled: a signal's handler may wait meanwhile */
  atomic_signal_fence(memory_order_seq_cst);
  *w = (struct wait){.page = p, .side = side, .deadline = deadline, .kept = kept, .depth = mine};
  atomic_fetch_add_explicit(&p->waits, 1, memory_order_relaxed);
  if (w != spare && watched()) {
    raw(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&poke, 0, sizeof poke, 0, 0);
    w->slot = claimed(p);
  }
  w->seen = atomic_load(&p->generation);
  wait_refresh(w);
  w->ready = 1; /* from here on the handler of the watcher's signal may move it */
  return w;
}

void wait_refresh(struct wait *w) {
  struct page *p = w->page;
  uint32_t seen = atomic_load(&p->generation); /* before the offsets: if they move after this, a signal comes */
  int64_t now = real_now(w->side);
  int64_t until = w->deadline == NEVER ? NEVER : added(w->deadline, -offset_of(p, w->side));
  if (seen != w->seen && until <= now && !w->over) {
    w->over = 1;
    atomic_fetch_add_explicit(&p->elapsed, 1, memory_order_relaxed);
  }
  int64_t at = !w->slot && until > now + SLICE ? now + SLICE : until;
  w->until = to_timespec(at);
  w->seen = seen;
  if (!w->slot) return;
  int64_t deadline = w->deadline;
  if (w->side == WALL && until != NEVER) deadline = added(now_of(p, MONO), until - now);
  atomic_store_explicit(&w->slot->deadline, deadline, memory_order_relaxed);
  atomic_store_explicit(&w->slot->seen, seen, memory_order_release);
}

void wait_end(struct wait **ended) {
  struct wait *w = *ended;
  struct slot *slot = w->slot;
  w->ready = 0;
  if (slot) {
    atomic_store_explicit(&slot->deadline, NEVER, memory_order_relaxed);
    atomic_store_explicit(&slot->pid, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->tid, 0, memory_order_release);
  }
  atomic_signal_fence(memory_order_seq_cst);
  depth = w->depth;
}

int64_t wait_left(struct wait *w) {
  int64_t left = from_timespec(&w->until) - real_now(w->side);
  return left > 0 ? left : 0;
}

int wait_sliced(struct wait *w) { return !w->slot && now_of(w->page, w->side) < w->deadline; }

/* Whether the signal interrupted a call: the kernel leaves -EINTR as its result then. */
static int interrupted_call(const ucontext_t *context) {
#if defined(__x86_64__)
  return context->uc_mcontext.gregs[REG_RAX] == -EINTR;
#else
  return (int64_t)context->uc_mcontext.regs[0] == -EINTR;
#endif
}

static void poked(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  int before = errno, innermost = depth - 1;
  for (int i = 0; i <= innermost; i++) {
    if (!waits[i].ready) continue;
    if (i == innermost && interrupted_call(context)) waits[i].poked = 1;
    /* What the kernel gets of a kept wait lies in `until`, and libc's loops read it again after an interruption. */
    if (waits[i].kept) wait_refresh(&waits[i]);
  }
  errno = before;
}

void handle_poke(void) {
  struct sigaction action = {.sa_sigaction = poked, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigfillset(&action.sa_mask);
  real_sigaction(POKE, &action, NULL);
}

void wait_calls(struct wait *w) {
  w->poked = 0;
  heard_signal = 0;
  wait_refresh(w);
}

int wait_interrupted(struct wait *w) { return w->poked && !heard_signal; }
