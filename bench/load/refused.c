/*
 * Hellos that look right but are signed with nothing: the proxy has to hand them to the cover with every byte. With --rate
 * so many a second, and never more than --connections at once; without, as fast as they are answered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../wire/ctr.h"
#include "../wire/faketls.h"
#include "../wire/net.h"
#include "cover.h"
#include "load.h"
#include "options.h"
#include "result.h"

enum { NUMBER_AT = 12, TABLE = 1 << 16, ANSWER_MAX = COVER_ANSWER_MAX + 1 };

struct probe {
  struct watch watch;
  int64_t started;
  uint32_t number;
  size_t hello_size, answer_size;
  /* The cover got the whole hello; the client got bytes that the cover did not send. */
  bool whole, foreign;
  uint8_t hello[HELLO_MAX];
};

static struct probe *table[TABLE];
static struct hmac_key key;
static uint32_t next_number;
static int open_now;
static int64_t begun_at;
static uint64_t begun;

static void finish(struct probe *probe) {
  bool good = probe->answer_size == (size_t)options.size && (!options.verify || (probe->whole && !probe->foreign));
  if (good) {
    result.ops++;
    histogram_add(&result.latency, now_ns() - probe->started);
  } else {
    result.errors++;
  }
  open_now--;
  table[probe->number % TABLE] = NULL;
  watch_close(&probe->watch);
  loop_free(probe);
}

static void probe_ready(struct watch *watch, uint32_t events) {
  struct probe *probe = (struct probe *)watch;
  uint8_t answer[ANSWER_MAX];
  if (watch->events == EPOLLOUT) {
    ssize_t size = probe->hello_size;
    watch_change(watch, EPOLLIN);
    if (socket_error(watch->fd) != 0 || send(watch->fd, probe->hello, size, MSG_NOSIGNAL) != size) finish(probe);
    return;
  }
  (void)events;
  ssize_t count = recv(watch->fd, answer, sizeof answer, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0 || probe->answer_size + count > COVER_ANSWER_MAX) {
    finish(probe);
    return;
  }
  probe->foreign |= memcmp(answer, cover_answer() + probe->answer_size, count) != 0;
  probe->answer_size += count;
}

/* Hellos are numbered in their random: the cover knows whose it is, and no proxy that keys them by it takes one for another. */
static bool begin(void) {
  int fd = connect_to(&options.proxy);
  if (fd < 0) return false;
  struct probe *probe = calloc(1, sizeof *probe);
  do probe->number = next_number++;
  while (table[probe->number % TABLE] != NULL);
  table[probe->number % TABLE] = probe;
  probe->started = now_ns();
  probe->hello_size = hello_make(&key, options.sni, probe->hello);
  memcpy(probe->hello + NUMBER_AT, &probe->number, sizeof probe->number);
  probe->watch.ready = probe_ready;
  watch_add(&probe->watch, fd, EPOLLOUT);
  open_now++;
  begun++;
  return true;
}

/* The cover has got a hello: it must be one of ours, byte for byte. */
static void seen(const uint8_t *hello, size_t size) {
  uint32_t number;
  memcpy(&number, hello + NUMBER_AT, sizeof number);
  struct probe *probe = table[number % TABLE];
  if (probe == NULL) return;
  probe->whole = size == probe->hello_size && memcmp(hello, probe->hello, size) == 0;
}

static int none(void) {
  return 0;
}

static void start(struct session **all, int count) {
  uint8_t unknown[SECRET_SIZE];
  (void)all;
  (void)count;
  random_bytes(unknown, sizeof unknown);
  hmac_init(&key, unknown, sizeof unknown);
  begun_at = now_ns();
  cover_listen(seen);
}

static int64_t tick(int64_t now) {
  uint64_t due = options.rate > 0 ? options.rate * (now - begun_at) / 1e9 : UINT64_MAX;
  while (begun < due && open_now < options.connections && begin());
  return options.rate > 0 ? now + (int64_t)(1e9 / options.rate) : INT64_MAX;
}

const struct load refused = {"refused", none, {NULL, NULL, NULL, NULL}, start, tick};
