/* Timers of TCP that a program sets: the kernel's clock cannot jump, so they may be made to run faster. */
#include "shared.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

LIBC(setsockopt)

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  REAL(setsockopt);
  struct page *p = the_page();
  double speed = p ? p->kernel_speed : 0;
  int is_timer = level == IPPROTO_TCP && (name == TCP_KEEPIDLE || name == TCP_KEEPINTVL || name == TCP_USER_TIMEOUT);
  if (!is_timer || speed <= 0 || speed == 1 || !value || length < sizeof(int)) return real(fd, level, name, value, length);
  int asked = *(const int *)value;
  if (asked <= 0) return real(fd, level, name, value, length); /* the default, or an error */
  double faster = asked / speed;
  int set = faster < 1 ? 1 : (int)faster;
  return real(fd, level, name, &set, sizeof set);
}
