/* The handshake of fake-TLS, on both sides of it. */
#ifndef WIRE_FAKETLS_H
#define WIRE_FAKETLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hmac.h"

enum {
  HELLO_MIN = 76,
  HELLO_MAX = 4096,
  /* ServerHello with a 32-byte session id, change-cipher-spec, one record of about the size that web servers answer with. */
  FLIGHT_BODY = 2995,
  FLIGHT_SIZE = 127 + 6 + 5 + FLIGHT_BODY,
  POINT_SIZE = 32,
};

/* Whether a ClientHello record is signed with the key, at most 120 s away from the clock. It is left as it came. */
bool hello_check(const struct hmac_key *key, uint8_t *hello, size_t size);

/* The answer to a checked hello, with `point` as the key share. */
void flight_make(const struct hmac_key *key, const uint8_t *hello, const uint8_t point[POINT_SIZE], uint8_t out[FLIGHT_SIZE]);

/* A new x25519 public key. */
void point_make(uint8_t point[POINT_SIZE]);

/*
 * A signed ClientHello for `sni` with a post-quantum key share, about 1,740 bytes, as clients send since 2025. Returns its
 * size. The key shares are random: no proxy computes with them.
 */
size_t hello_make(const struct hmac_key *key, const char *sni, uint8_t out[HELLO_MAX]);

/*
 * Read the server's flight. Returns its size, 0 while it is incomplete, or -1 when it is none or not signed for the client
 * random `random`. Any length of ServerHello and of the one record is good.
 */
long flight_check(const struct hmac_key *key, const uint8_t random[32], uint8_t *data, size_t size);

#endif
