/* The 64-byte opening of obfuscated2, on every side of it. */
#ifndef WIRE_OBFUSCATED2_H
#define WIRE_OBFUSCATED2_H

#include <stdbool.h>
#include <stdint.h>

#include "ctr.h"

enum { HEADER_SIZE = 64, SECRET_SIZE = 16 };

/* Tags of abridged, intermediate and padded intermediate transport. */
enum { TAG_ABRIDGED = 0xef, TAG_INTERMEDIATE = 0xee, TAG_PADDED = 0xdd };

/* Keys of one side's header: up is from who sent it, down is towards them. */
struct header_keys {
  uint8_t up_key[32], up_iv[16], down_key[32], down_iv[16];
};

/* Keys that follow from a header; `secret` is NULL between a proxy and a data centre. */
void header_derive(struct header_keys *keys, const uint8_t header[HEADER_SIZE], const uint8_t *secret);

/* Open a received header. Returns the up stream, standing after it, or NULL when the secret does not fit. */
EVP_CIPHER_CTX *header_open(const uint8_t header[HEADER_SIZE], const struct header_keys *keys, uint8_t *tag, int *dc);

/* Draw a header. Where `down` is given, the stream towards the sender will have its down key and IV (fast mode). */
void header_draw(uint8_t header[HEADER_SIZE], const struct header_keys *down);

/* Put tag and DC into a drawn header and seal it. Returns the up stream, standing after it. */
EVP_CIPHER_CTX *header_seal(uint8_t header[HEADER_SIZE], const struct header_keys *keys, uint8_t tag, int dc);

#endif
