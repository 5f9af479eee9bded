#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../wire/net.h"
#include "transfer.h"

enum { OPENING_MAX = 20 * 1024, READS_PER_TURN = 2 };

static struct session *dead;

static void session_end(struct session *session) {
  if (session->dead) return;
  session->dead = true;
  socket_close(&session->client);
  socket_close(&session->upstream);
  session->next_dead = dead;
  dead = session;
}

void session_bury(void) {
  while (dead != NULL) {
    struct session *session = dead;
    dead = session->next_dead;
    EVP_CIPHER_CTX_free(session->client_up);
    EVP_CIPHER_CTX_free(session->dc_up);
    EVP_CIPHER_CTX_free(session->dc_down);
    EVP_CIPHER_CTX_free(session->client_down);
    free(session->keys);
    free(session->opening);
    free(session);
  }
}

static void dial(struct relay *relay, struct session *session, const struct sockaddr_in *to) {
  int fd = connect_to(to);
  if (fd < 0) {
    session_end(session);
    return;
  }
  session->phase = DIALING;
  socket_watch(relay->poll, &session->client, 0, EPOLLIN);
  socket_add(relay->poll, &session->upstream, fd, EPOLLOUT);
}

void session_accept(struct relay *relay, int fd) {
  struct session *session = calloc(1, sizeof *session);
  session->client.session = session->upstream.session = session;
  session->upstream.fd = -1;
  session->verbatim = relay->copy;
  socket_add(relay->poll, &session->client, fd, EPOLLIN);
  if (relay->copy) dial(relay, session, &relay->dc);
}

static void to_cover(struct relay *relay, struct session *session) {
  session->verbatim = true;
  session->records = false;
  if (relay->has_cover) dial(relay, session, &relay->cover);
  else session_end(session);
}

/* The client's header is there: derive everything from it and call the DC. */
static void open_header(struct relay *relay, struct session *session) {
  struct header_keys *keys = session->keys = malloc(sizeof *keys);
  header_derive(keys, session->opening, relay->secret);
  session->client_up = header_open(session->opening, keys, &session->tag, &session->dc);
  if (session->client_up != NULL) dial(relay, session, &relay->dc);
  else if (session->records) session_end(session);
  else to_cover(relay, session);
}

/* Take `count` bytes off the front of the opening. */
static void consume(struct session *session, size_t count) {
  session->opening_size -= count;
  memmove(session->opening, session->opening + count, session->opening_size);
}

static void read_header(struct relay *relay, struct session *session, size_t from) {
  ssize_t kept = records_unwrap(&session->reader, session->opening + from, session->opening_size - from);
  if (kept < 0) {
    session_end(session);
    return;
  }
  session->opening_size = from + kept;
  if (session->opening_size >= HEADER_SIZE) open_header(relay, session);
}

static void answer_hello(struct relay *relay, struct session *session, size_t hello_size) {
  uint8_t flight[FLIGHT_SIZE];
  if (!relay->given_key) point_make(relay->point);
  flight_make(&relay->key, session->opening, relay->point, flight);
  if (socket_send(relay->poll, &session->client, flight, sizeof flight) == FAILED) {
    session_end(session);
    return;
  }
  session->records = true;
  session->phase = HEADER;
  consume(session, hello_size);
  read_header(relay, session, 0);
}

static void look(struct relay *relay, struct session *session) {
  uint8_t *data = session->opening;
  if (session->opening_size < 3) return;
  if (memcmp(data, (uint8_t[]){0x16, 3, 1}, 3) != 0) {
    if (session->opening_size >= HEADER_SIZE) open_header(relay, session);
    return;
  }
  if (session->opening_size < RECORD_HEADER) return;
  size_t size = RECORD_HEADER + (data[3] << 8 | data[4]);
  if (size > OPENING_MAX) to_cover(relay, session);
  else if (session->opening_size < size) return;
  else if (hello_check(&relay->key, data, size)) answer_hello(relay, session, size);
  else to_cover(relay, session);
}

static void read_opening(struct relay *relay, struct session *session) {
  static uint8_t buffer[OPENING_MAX];
  size_t had = session->opening_size;
  ssize_t count = recv(session->client.fd, buffer, sizeof buffer - had, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    session_end(session);
    return;
  }
  session->opening = realloc(session->opening, had + count);
  memcpy(session->opening + had, buffer, count);
  session->opening_size = had + count;
  if (session->phase == OPENING) look(relay, session);
  else read_header(relay, session, had);
}

/* Introduce ourselves to the DC with a header of our own, then the rest of the client's opening. */
static enum sent introduce(struct relay *relay, struct session *session) {
  uint8_t *opening = session->opening;
  struct header_keys keys;
  header_draw(opening, relay->fast ? session->keys : NULL);
  header_derive(&keys, opening, NULL);
  session->dc_up = header_seal(opening, &keys, session->tag, session->dc);
  if (!relay->fast) {
    session->dc_down = ctr_new(keys.down_key, keys.down_iv);
    session->client_down = ctr_new(session->keys->down_key, session->keys->down_iv);
  }
  size_t rest = session->opening_size - HEADER_SIZE;
  ctr_apply(session->client_up, opening + HEADER_SIZE, rest);
  ctr_apply(session->dc_up, opening + HEADER_SIZE, rest);
  return socket_send(relay->poll, &session->upstream, opening, session->opening_size);
}

static void dialed(struct relay *relay, struct session *session) {
  enum sent sent = SENT;
  if (socket_error(session->upstream.fd) != 0) {
    session_end(session);
    return;
  }
  session->phase = RELAYING;
  socket_watch(relay->poll, &session->upstream, EPOLLIN, EPOLLOUT);
  if (!session->verbatim) sent = introduce(relay, session);
  else if (session->opening_size > 0) {
    sent = socket_send(relay->poll, &session->upstream, session->opening, session->opening_size);
  }
  free(session->opening);
  free(session->keys);
  session->opening = NULL;
  session->keys = NULL;
  if (sent == FAILED) session_end(session);
  if (sent == SENT) socket_watch(relay->poll, &session->client, EPOLLIN, 0);
}

/* Move bytes from one side to the other, a bounded number of reads. */
static void pump(struct relay *relay, struct session *session, struct socket *from, struct socket *to) {
  for (int reads = 0; reads < READS_PER_TURN && to->held == NULL; reads++) {
    bool more = false;
    switch (transfer(relay->poll, session, from, to, &more)) {
      case MOVED:
        break;
      case BLOCKED:
        socket_watch(relay->poll, from, 0, EPOLLIN);
        return;
      case ENDED:
        from->ended = true;
        socket_watch(relay->poll, from, 0, EPOLLIN);
        socket_end(to);
        if (to->ended && from->held == NULL && to->held == NULL) session_end(session);
        return;
      case BROKEN:
        session_end(session);
        return;
    }
    if (!more) return;
  }
}

static void flush(struct relay *relay, struct session *session, struct socket *socket, struct socket *source) {
  bool held = socket->held != NULL;
  switch (socket_flush(relay->poll, socket)) {
    case FAILED:
      session_end(session);
      return;
    case HELD:
      return;
    case SENT:
      if (held && source->fd >= 0 && !source->ended) socket_watch(relay->poll, source, EPOLLIN, 0);
      if (socket->ended && source->ended && source->held == NULL) session_end(session);
  }
}

void session_ready(struct relay *relay, struct socket *socket, uint32_t events) {
  struct session *session = socket->session;
  struct socket *other = socket == &session->client ? &session->upstream : &session->client;
  if (!session->dead && (events & EPOLLOUT) != 0 && socket->held != NULL) flush(relay, session, socket, other);
  if (session->dead) return;
  if (session->phase != RELAYING) {
    if (socket == &session->upstream) dialed(relay, session);
    else if (session->phase == DIALING || (events & EPOLLERR) != 0) session_end(session);
    else if ((events & EPOLLIN) != 0) read_opening(relay, session);
    return;
  }
  if (!session->dead && (events & (EPOLLERR | EPOLLHUP)) != 0 && (socket->events & EPOLLIN) == 0) session_end(session);
  if (!session->dead && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) pump(relay, session, socket, other);
}
