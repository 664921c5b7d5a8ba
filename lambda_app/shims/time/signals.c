/* Signals of the program's own: whether one was handled during a wait, which it must then end.
 *
 * The watcher's signal and a thaw interrupt waits too, and an interrupted call does not say by what. So the handlers that
 * a program installs are called by way of one here that takes a note. Signals that faults raise interrupt no wait, and
 * are left alone, as are handlers that were installed before there was a page, or past libc.
 */
#include "shared.h"

LIBC(sigaction)

typedef void (*handler)(int, siginfo_t *, void *);
static _Atomic handler theirs[_NSIG];
__thread volatile sig_atomic_t heard_signal;

static void hear(int number, siginfo_t *info, void *context) {
  heard_signal = 1;
  theirs[number](number, info, context);
  heard_signal = 1; /* again: it may have waited itself */
}

int real_sigaction(int number, const struct sigaction *action, struct sigaction *before) {
  REAL(sigaction);
  return real(number, action, before);
}

static int is_fault(int number) {
  return number == SIGILL || number == SIGTRAP || number == SIGABRT || number == SIGBUS || number == SIGFPE ||
         number == SIGSEGV || number == SIGSYS;
}

EXPORT int sigaction(int number, const struct sigaction *restrict action, struct sigaction *restrict before) {
  if (number <= 0 || number >= _NSIG || is_fault(number) || !the_page()) return real_sigaction(number, action, before);
  if (number == POKE) { /* a program that resets every signal there is would be ended by the watcher's */
    if (before) *before = (struct sigaction){.sa_handler = SIG_DFL};
    return 0;
  }
  handler known = theirs[number];
  struct sigaction ours, was;
  if (action) {
    ours = *action;
    if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
      theirs[number] = action->sa_sigaction; /* at the same place as sa_handler, which does not look at the rest */
      ours.sa_sigaction = hear;
    }
  }
  int result = real_sigaction(number, action ? &ours : NULL, &was);
  if (result < 0) {
    theirs[number] = known;
  } else if (before) {
    *before = was;
    if (was.sa_sigaction == hear) before->sa_sigaction = known;
  }
  return result;
}

EXPORT sighandler_t signal(int number, sighandler_t handler) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, before;
  sigemptyset(&action.sa_mask);
  if (handler == SIG_ERR || number <= 0 || number >= _NSIG) {
    errno = EINVAL;
    return SIG_ERR;
  }
  sigaddset(&action.sa_mask, number);
  return sigaction(number, &action, &before) < 0 ? SIG_ERR : before.sa_handler;
}
