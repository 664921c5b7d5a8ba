/* Timers of TCP that a program sets: the kernel's clock cannot jump, so they may be made to run faster, or put off. */
#include "shared.h"
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

LIBC(setsockopt)

#define MOST_SECONDS 32767 /* more is refused by Linux: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL */

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  REAL(setsockopt);
  struct page *p = the_page();
  double speed = p ? p->kernel_speed : 0;
  int is_timer = level == IPPROTO_TCP && (name == TCP_KEEPIDLE || name == TCP_KEEPINTVL || name == TCP_USER_TIMEOUT);
  if (!is_timer || speed <= 0 || speed == 1 || !value || length < sizeof(int)) return real(fd, level, name, value, length);
  int asked = *(const int *)value;
  if (asked <= 0) return real(fd, level, name, value, length); /* the default, or an error */
  double faster = asked / speed;
  double most = name == TCP_USER_TIMEOUT ? INT_MAX : MOST_SECONDS;
  int set = faster < 1 ? 1 : (int)(faster < most ? faster : asked < most ? most : asked);
  return real(fd, level, name, &set, sizeof set);
}
