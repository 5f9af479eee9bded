#include "cover.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../wire/faketls.h"
#include "../wire/net.h"
#include "../wire/records.h"
#include "loop.h"
#include "options.h"

struct visitor {
  struct watch watch;
  size_t have;
  uint8_t hello[HELLO_MAX];
};

static struct watch listener;
static void (*shown)(const uint8_t *hello, size_t size);

const uint8_t *cover_answer(void) {
  static uint8_t answer[COVER_ANSWER_MAX];
  if (answer[1] == 0) {
    for (size_t i = 0; i < sizeof answer; i++) answer[i] = i;
  }
  return answer;
}

static bool is_whole(const struct visitor *visitor) {
  const uint8_t *hello = visitor->hello;
  return visitor->have >= RECORD_HEADER && visitor->have >= (size_t)RECORD_HEADER + (hello[3] << 8 | hello[4]);
}

static void visitor_ready(struct watch *watch, uint32_t events) {
  struct visitor *visitor = (struct visitor *)watch;
  (void)events;
  ssize_t count = recv(watch->fd, visitor->hello + visitor->have, sizeof visitor->hello - visitor->have, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count > 0) visitor->have += count;
  if (count > 0 && !is_whole(visitor)) return;
  if (count > 0) {
    shown(visitor->hello, visitor->have);
    send(watch->fd, cover_answer(), options.size, MSG_NOSIGNAL);
  }
  watch_close(watch);
  loop_free(visitor);
}

static void accept_ready(struct watch *watch, uint32_t events) {
  (void)events;
  for (int fd; (fd = accept_from(watch->fd)) >= 0;) {
    struct visitor *visitor = calloc(1, sizeof *visitor);
    visitor->watch.ready = visitor_ready;
    watch_add(&visitor->watch, fd, EPOLLIN);
  }
}

void cover_listen(void (*seen)(const uint8_t *hello, size_t size)) {
  if (!options.has_cover) die("this load needs --cover-listen");
  shown = seen;
  listener.ready = accept_ready;
  watch_add(&listener, listen_on(&options.cover_listen), EPOLLIN);
}
