#define _GNU_SOURCE
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../wire/ctr.h"
#include "options.h"

enum { CHUNK = 128 * 1024, WIRE_MAX = 2 * CHUNK + 6 * RECORD_PAYLOAD };

uint64_t flow_damaged;

/* Byte `position` of a flow: both ends can make it. */
static uint8_t byte_at(const struct flow *flow, uint64_t position) {
  return (position * 131 + (position >> 8) * 29 + flow->salt) & 0xff;
}

/* Bytes of unverified streams are never looked at; they are the same for all. */
static const uint8_t *filler(void) {
  static uint8_t bytes[WIRE_MAX];
  if (bytes[0] == 0) {
    random_bytes(bytes, sizeof bytes);
    bytes[0] = 1;
  }
  return bytes;
}

/* Make the next `size` payload bytes of a flow at `out`. */
static void make(struct flow *flow, uint8_t *out, size_t size) {
  if (!options.verify) {
    memcpy(out, filler(), size);
    return;
  }
  for (size_t i = 0; i < size; i++) out[i] = byte_at(flow, flow->sent + i);
  ctr_apply(flow->seal, out, size);
}

/* The next `size` payload bytes as they go onto the wire; returns their number there. */
static size_t compose(struct flow *flow, uint8_t *out, size_t size) {
  size_t at = 0, piece = flow->record == 0 ? size : flow->record;
  for (size_t left = size; left > 0;) {
    if (piece > left) piece = left;
    if (flow->record != 0) {
      record_header(out + at, piece);
      at += RECORD_HEADER;
    }
    make(flow, out + at, piece);
    flow->sent += piece;
    at += piece;
    left -= piece;
  }
  return at;
}

static ssize_t put(int fd, const uint8_t *data, size_t size) {
  ssize_t taken = send(fd, data, size, MSG_NOSIGNAL);
  return taken < 0 && errno == EAGAIN ? 0 : taken;
}

/* Keep bytes behind what is held already. */
static void hold(struct flow *flow, const uint8_t *data, size_t size) {
  size_t had = flow->held == NULL ? 0 : flow->held_to - flow->held_from;
  uint8_t *held = malloc(had + size);
  if (had > 0) memcpy(held, flow->held + flow->held_from, had);
  memcpy(held + had, data, size);
  free(flow->held);
  flow->held = held;
  flow->held_from = 0;
  flow->held_to = had + size;
}

static bool put_or_hold(struct flow *flow, int fd, const uint8_t *data, size_t size) {
  ssize_t taken = flow->held == NULL ? put(fd, data, size) : 0;
  if (taken < 0) return false;
  if ((size_t)taken < size) hold(flow, data + taken, size - taken);
  return true;
}

bool flow_flush(struct flow *flow, int fd) {
  if (flow->held == NULL) return true;
  ssize_t taken = put(fd, flow->held + flow->held_from, flow->held_to - flow->held_from);
  if (taken < 0) return false;
  flow->held_from += taken;
  if (flow->held_from == flow->held_to) {
    free(flow->held);
    flow->held = NULL;
  }
  return true;
}

bool flow_message(struct flow *flow, int fd, size_t size) {
  static uint8_t wire[RECORD_PAYLOAD + RECORD_HEADER];
  uint16_t record = flow->record;
  if (record != 0) flow->record = RECORD_PAYLOAD;
  size_t count = compose(flow, wire, size);
  flow->record = record;
  return put_or_hold(flow, fd, wire, count);
}

/* Whole records that repeat, or any bytes where there are no records. Returns the length of one repetition. */
static size_t repeated(const struct flow *flow, const uint8_t **out) {
  static uint8_t records[WIRE_MAX];
  static size_t length;
  if (flow->record == 0) {
    *out = filler();
    return CHUNK;
  }
  while (length < CHUNK) {
    record_header(records + length, flow->record);
    length += RECORD_HEADER + flow->record;
  }
  *out = records;
  return length;
}

static ssize_t stream_unverified(struct flow *flow, int fd, size_t limit) {
  const uint8_t *bytes;
  size_t length = repeated(flow, &bytes), size = length - flow->phase;
  if (size > limit) size = limit;
  ssize_t taken = put(fd, bytes + flow->phase, size);
  if (taken <= 0) return taken;
  flow->phase = (flow->phase + taken) % length;
  flow->sent += taken;
  return taken;
}

ssize_t flow_stream(struct flow *flow, int fd, size_t limit) {
  static uint8_t wire[WIRE_MAX];
  if (!options.verify) return stream_unverified(flow, fd, limit);
  if (!flow_flush(flow, fd)) return -1;
  if (flow->held != NULL) return 0;
  size_t size = limit < CHUNK ? limit : CHUNK;
  return put_or_hold(flow, fd, wire, compose(flow, wire, size)) ? (ssize_t)size : -1;
}

ssize_t flow_receive(struct flow *flow, uint8_t *data, size_t size) {
  ssize_t count = flow->records ? records_unwrap(&flow->reader, data, size) : (ssize_t)size;
  if (count > 0 && options.verify) {
    ctr_apply(flow->open, data, count);
    for (ssize_t i = 0; i < count; i++) {
      if (data[i] == byte_at(flow, flow->received + i)) continue;
      flow_damaged++;
      return -1;
    }
  }
  if (count > 0) flow->received += count;
  return count;
}

ssize_t flow_read(struct flow *flow, int fd) {
  static uint8_t buffer[WIRE_MAX];
  ssize_t count = recv(fd, buffer, sizeof buffer, 0);
  if (count < 0 && errno == EAGAIN) return 0;
  return count <= 0 ? -1 : flow_receive(flow, buffer, count);
}

ssize_t flow_discard(struct flow *flow, int fd) {
  ssize_t count = recv(fd, NULL, 8 << 20, MSG_TRUNC);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count <= 0) return -1;
  flow->received += count;
  return count;
}

void flow_free(struct flow *flow) {
  EVP_CIPHER_CTX_free(flow->seal);
  EVP_CIPHER_CTX_free(flow->open);
  free(flow->held);
}
