#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  exit(2);
}

struct sockaddr_in parse_endpoint(const char *text) {
  struct sockaddr_in out = {.sin_family = AF_INET};
  const char *colon = strrchr(text, ':');
  char host[64];
  if (colon == NULL || (size_t)(colon - text) >= sizeof host) die("not HOST:PORT: %s", text);
  memcpy(host, text, colon - text);
  host[colon - text] = '\0';
  out.sin_port = htons(atoi(colon + 1));
  if (inet_pton(AF_INET, host, &out.sin_addr) != 1) die("not an IPv4 address: %s", host);
  return out;
}

size_t parse_hex(const char *text, uint8_t *out, size_t max) {
  size_t count = strlen(text) / 2;
  if (strlen(text) % 2 != 0 || count > max) return 0;
  for (size_t i = 0; i < count; i++) {
    unsigned value;
    if (sscanf(text + 2 * i, "%2x", &value) != 1) return 0;
    out[i] = value;
  }
  return count;
}

static void no_delay(int fd) {
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

int listen_on(struct sockaddr_in *at) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof *at;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (bind(fd, (struct sockaddr *)at, size) != 0 || listen(fd, BACKLOG) != 0) {
    die("cannot listen on port %d: %s", ntohs(at->sin_port), strerror(errno));
  }
  getsockname(fd, (struct sockaddr *)at, &size);
  return fd;
}

int accept_from(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) no_delay(fd);
  return fd;
}

int connect_to(const struct sockaddr_in *to) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  no_delay(fd);
  if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 || errno == EINPROGRESS) return fd;
  close(fd);
  return -1;
}

int socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void allow_many_files(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}
