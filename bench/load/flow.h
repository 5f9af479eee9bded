/* One direction of a session: bytes that are sent at one end and counted, or compared, at the other. */
#ifndef LOAD_FLOW_H
#define LOAD_FLOW_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../wire/records.h"

struct flow {
  /* Under --verify: the stream that the sender applies, and the receiver. */
  EVP_CIPHER_CTX *seal, *open;
  /* Payload bytes in a record; 0 where the sender sends none. */
  uint16_t record;
  /* Whether the receiver gets records. */
  bool records;
  /* Tells the bytes of one flow from another's. */
  uint8_t salt;
  struct record_reader reader;
  /* Payload bytes sent and received. */
  uint64_t sent, received;
  /* Bytes of the wire that the kernel has not taken yet. */
  uint8_t *held;
  uint32_t held_from, held_to;
  /* Where in the repeated bytes of an unverified stream the next write begins. */
  uint32_t phase;
};

/* Send as much as the socket takes, at most `limit` payload bytes; returns the payload bytes sent, or -1. */
ssize_t flow_stream(struct flow *flow, int fd, size_t limit);

/* Send one message of `size` bytes, in one record where there are records. Returns false when the socket is broken. */
bool flow_message(struct flow *flow, int fd, size_t size);

/* Send what an earlier message left over. Returns false when the socket is broken. */
bool flow_flush(struct flow *flow, int fd);

/* Take in payload bytes; they are moved to the front of `data`. Returns how many, or -1 when they are not what was sent. */
ssize_t flow_receive(struct flow *flow, uint8_t *data, size_t size);

/* Read and take in once. Returns payload bytes, 0 for nothing yet, -1 at the end of the stream or on an error. */
ssize_t flow_read(struct flow *flow, int fd);

/* Read and drop once, counting the bytes of the wire; for streams that are not verified. Same result. */
ssize_t flow_discard(struct flow *flow, int fd);

void flow_free(struct flow *flow);

/* Flows whose bytes were not what was sent. */
extern uint64_t flow_damaged;

#endif
