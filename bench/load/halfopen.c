/* Connections that send half a hello and then nothing. The cover is there and waits for the rest, too. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../wire/faketls.h"
#include "../wire/net.h"
#include "cover.h"
#include "load.h"
#include "options.h"
#include "result.h"

enum { NUMBER_AT = 12 };

static struct hmac_key key;

/* Numbered in their random, as the hellos of `refused` are. */
static bool send_half(int fd) {
  static uint32_t number;
  uint8_t hello[HELLO_MAX];
  ssize_t size = hello_make(&key, options.sni, hello) / 2;
  memcpy(hello + NUMBER_AT, &number, sizeof number);
  number++;
  return socket_error(fd) == 0 && send(fd, hello, size, MSG_NOSIGNAL) == size;
}

static void half_ready(struct watch *watch, uint32_t events) {
  (void)events;
  if (watch->events == EPOLLOUT && send_half(watch->fd)) {
    result.ops++;
    watch_change(watch, EPOLLIN);
    return;
  }
  /* An answer to half a hello, or an end. */
  result.errors++;
  watch_close(watch);
  loop_free(watch);
}

/* No hello ever becomes whole. */
static void seen(const uint8_t *hello, size_t size) {
  (void)hello;
  (void)size;
}

static int none(void) {
  return 0;
}

static void start(struct session **all, int count) {
  (void)all;
  (void)count;
  hmac_init(&key, options.secret, SECRET_SIZE);
  cover_listen(seen);
  for (int i = 0; i < options.connections; i++) {
    int fd = connect_to(&options.proxy);
    if (fd < 0) die("no socket for connection %d", i);
    struct watch *watch = calloc(1, sizeof *watch);
    watch->ready = half_ready;
    watch_add(watch, fd, EPOLLOUT);
  }
}

const struct load halfopen = {"halfopen", none, {NULL, NULL, NULL, NULL}, start, NULL};
