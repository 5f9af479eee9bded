#include "transfer.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SLOTS = 4, SLOT = RECORD_HEADER + RECORD_PAYLOAD, READ_SIZE = SLOTS * RECORD_PAYLOAD };

/* Every session reads into this; what is read is sent or held before the next read. */
static uint8_t buffer[SLOTS * SLOT];

/* Read payload into slots that have room for a record header before it, so that framing copies nothing. */
static ssize_t read_slots(int fd) {
  struct iovec slots[SLOTS];
  for (int i = 0; i < SLOTS; i++) slots[i] = (struct iovec){buffer + i * SLOT + RECORD_HEADER, RECORD_PAYLOAD};
  return readv(fd, slots, SLOTS);
}

static size_t min(size_t a, size_t b) {
  return a < b ? a : b;
}

static void apply(struct session *session, uint8_t *data, size_t size) {
  if (session->dc_down == NULL) return;
  ctr_apply(session->dc_down, data, size);
  ctr_apply(session->client_down, data, size);
}

/* Put `count` bytes in slots into records; returns the bytes on the wire. */
static size_t frame(struct session *session, size_t count) {
  size_t at = 0;
  for (size_t left = count; left > 0; left -= min(left, RECORD_PAYLOAD)) {
    size_t size = min(left, RECORD_PAYLOAD);
    record_header(buffer + at, size);
    apply(session, buffer + at + RECORD_HEADER, size);
    at += RECORD_HEADER + size;
  }
  return at;
}

/* Take the client's `count` bytes out of their records and cipher; -1 when they are no records. */
static ssize_t open_up(struct session *session, size_t count) {
  ssize_t kept = session->records ? records_unwrap(&session->reader, buffer, count) : (ssize_t)count;
  if (kept > 0) {
    ctr_apply(session->client_up, buffer, kept);
    ctr_apply(session->dc_up, buffer, kept);
  }
  return kept;
}

enum transferred transfer(int poll, struct session *session, struct socket *from, struct socket *to, bool *more) {
  bool down = from == &session->upstream;
  ssize_t count = down && session->records ? read_slots(from->fd) : read(from->fd, buffer, READ_SIZE);
  if (count == 0) return ENDED;
  if (count < 0) return errno == EAGAIN ? MOVED : BROKEN;
  *more = count == READ_SIZE;
  if (!session->verbatim) {
    if (!down) count = open_up(session, count);
    else if (session->records) count = frame(session, count);
    else apply(session, buffer, count);
  }
  if (count < 0) return BROKEN;
  if (count == 0) return MOVED;
  enum sent sent = socket_send(poll, to, buffer, count);
  return sent == SENT ? MOVED : sent == HELD ? BLOCKED : BROKEN;
}
