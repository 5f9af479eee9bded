#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../wire/faketls.h"
#include "../wire/net.h"
#include "options.h"

/* The first payload of a session tells the data centre which it is. */
enum { INTRODUCTION = 8, OPENING = HEADER_SIZE + INTRODUCTION, TABLE = 1 << 16, FLIGHT_MAX = 20 * 1024 };

static const uint8_t magic[4] = "load";

struct handshake {
  uint8_t random[32];
  uint8_t *flight;
  size_t flight_size;
};

/* A connection at the data centre before it is known whose it is. */
struct stranger {
  struct watch watch;
  uint8_t opening[OPENING];
  size_t have;
};

static const struct session_events *events_to;
static struct session *table[TABLE];
static struct watch listener;
static struct hmac_key key;
static uint32_t next_number;

static void free_handshake(struct session *session) {
  if (session->handshake == NULL) return;
  free(session->handshake->flight);
  free(session->handshake);
  session->handshake = NULL;
}

static void release(struct session *session) {
  if (session->client.fd >= 0 || session->dc.fd >= 0) return;
  table[session->number % TABLE] = NULL;
  flow_free(&session->up);
  flow_free(&session->down);
  free_handshake(session);
  loop_free(session);
}

void session_fail(struct session *session) {
  if (session->stage == CLOSED) return;
  session->stage = CLOSED;
  events_to->failed(session);
  watch_close(&session->client);
  watch_close(&session->dc);
  release(session);
}

void session_close(struct session *session) {
  session->stage = CLOSED;
  watch_close(&session->client);
  release(session);
}

/* The header and the introduction, in the first records of the session where it speaks records. */
static bool send_opening(struct session *session) {
  uint8_t wire[6 + RECORD_HEADER + OPENING] = {0x14, 3, 3, 0, 1, 1}, *header = wire + 6 + RECORD_HEADER;
  struct header_keys keys;
  header_draw(header, NULL);
  header_derive(&keys, header, options.has_secret ? options.secret : NULL);
  session->up.seal = header_seal(header, &keys, TAG_PADDED, options.dc_number);
  if (options.verify) session->down.open = ctr_new(keys.down_key, keys.down_iv);
  memcpy(header + HEADER_SIZE, magic, sizeof magic);
  memcpy(header + HEADER_SIZE + sizeof magic, &session->number, sizeof session->number);
  ctr_apply(session->up.seal, header + HEADER_SIZE, INTRODUCTION);
  record_header(wire + 6, OPENING);
  const uint8_t *from = options.tls ? wire : header;
  ssize_t size = wire + sizeof wire - from;
  session->stage = WAITING;
  free_handshake(session);
  return send(session->client.fd, from, size, MSG_NOSIGNAL) == size;
}

static bool send_hello(struct session *session) {
  uint8_t hello[HELLO_MAX];
  ssize_t size = hello_make(&key, options.sni, hello);
  session->handshake = calloc(1, sizeof *session->handshake);
  memcpy(session->handshake->random, hello + 11, 32);
  session->stage = FLIGHT;
  return send(session->client.fd, hello, size, MSG_NOSIGNAL) == size;
}

static bool read_flight(struct session *session) {
  static uint8_t buffer[FLIGHT_MAX];
  struct handshake *handshake = session->handshake;
  ssize_t count = recv(session->client.fd, buffer, sizeof buffer - handshake->flight_size, 0);
  if (count < 0 && errno == EAGAIN) return true;
  if (count <= 0) return false;
  handshake->flight = realloc(handshake->flight, handshake->flight_size + count);
  memcpy(handshake->flight + handshake->flight_size, buffer, count);
  handshake->flight_size += count;
  long size = flight_check(&key, handshake->random, handshake->flight, handshake->flight_size);
  if (size == 0) return true;
  return size == (long)handshake->flight_size && send_opening(session);
}

static void client_ready(struct watch *watch, uint32_t events) {
  struct session *session = (struct session *)watch;
  bool good = true;
  switch (session->stage) {
    case CONNECTING:
      good = socket_error(watch->fd) == 0;
      watch_change(watch, EPOLLIN);
      if (good) good = options.tls ? send_hello(session) : send_opening(session);
      break;
    case FLIGHT:
      good = read_flight(session);
      break;
    case WAITING:
      /* The data centre speaks after us, so this is the end. */
      good = false;
      break;
    case OPEN:
      events_to->client_ready(session, events);
      break;
    case CLOSED:
      break;
  }
  if (!good) session_fail(session);
}

/* After the client has gone the proxy closes this end. */
static void drain(struct session *session) {
  uint8_t rest[4096];
  ssize_t count = recv(session->dc.fd, rest, sizeof rest, 0);
  if (count > 0 || (count < 0 && errno == EAGAIN)) return;
  watch_close(&session->dc);
  release(session);
}

static void dc_ready(struct watch *watch, uint32_t events) {
  struct session *session = (struct session *)((char *)watch - offsetof(struct session, dc));
  if (session->stage == CLOSED) drain(session);
  else events_to->dc_ready(session, events);
}

struct session *session_begin(int index) {
  int fd = connect_to(options.direct ? &options.dc_listen : &options.proxy);
  if (fd < 0) return NULL;
  struct session *session = calloc(1, sizeof *session);
  session->client.ready = client_ready;
  session->dc.ready = dc_ready;
  session->dc.fd = -1;
  session->index = index;
  session->started = now_ns();
  do session->number = next_number++;
  while (table[session->number % TABLE] != NULL);
  table[session->number % TABLE] = session;
  session->up = (struct flow){.record = options.tls ? options.record : 0, .salt = session->number};
  session->down = (struct flow){.records = options.tls, .salt = ~session->number};
  watch_add(&session->client, fd, EPOLLOUT);
  return session;
}

/* Open the header and find the session that the introduction names. */
static struct session *recognise(struct stranger *stranger) {
  struct header_keys keys;
  uint8_t tag, *introduction = stranger->opening + HEADER_SIZE;
  int dc;
  uint32_t number;
  header_derive(&keys, stranger->opening, NULL);
  EVP_CIPHER_CTX *up = header_open(stranger->opening, &keys, &tag, &dc);
  if (up == NULL) return NULL;
  ctr_apply(up, introduction, INTRODUCTION);
  memcpy(&number, introduction + sizeof magic, sizeof number);
  struct session *session = table[number % TABLE];
  bool good = memcmp(introduction, magic, sizeof magic) == 0 && dc == options.dc_number && tag == TAG_PADDED;
  if (!good || session == NULL || session->number != number || session->stage != WAITING) {
    EVP_CIPHER_CTX_free(up);
    return NULL;
  }
  session->up.open = up;
  if (options.verify) session->down.seal = ctr_new(keys.down_key, keys.down_iv);
  return session;
}

static void open_session(struct session *session, int fd) {
  session->stage = OPEN;
  if (!options.verify) {
    EVP_CIPHER_CTX_free(session->up.seal);
    EVP_CIPHER_CTX_free(session->up.open);
    session->up.seal = session->up.open = NULL;
  }
  watch_add(&session->dc, fd, EPOLLIN);
  events_to->opened(session);
}

static void stranger_ready(struct watch *watch, uint32_t events) {
  struct stranger *stranger = (struct stranger *)watch;
  (void)events;
  ssize_t count = recv(watch->fd, stranger->opening + stranger->have, OPENING - stranger->have, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count > 0) {
    stranger->have += count;
    if (stranger->have < OPENING) return;
  }
  int fd = watch_take(watch);
  struct session *session = count > 0 ? recognise(stranger) : NULL;
  loop_free(stranger);
  if (session != NULL) open_session(session, fd);
  else close(fd);
}

static void accept_ready(struct watch *watch, uint32_t events) {
  (void)events;
  for (int fd; (fd = accept_from(watch->fd)) >= 0;) {
    struct stranger *stranger = calloc(1, sizeof *stranger);
    stranger->watch.ready = stranger_ready;
    watch_add(&stranger->watch, fd, EPOLLIN);
  }
}

void sessions_listen(const struct session_events *events) {
  events_to = events;
  hmac_init(&key, options.secret, SECRET_SIZE);
  listener.ready = accept_ready;
  watch_add(&listener, listen_on(&options.dc_listen), EPOLLIN);
}
