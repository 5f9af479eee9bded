/* HMAC-SHA256 under one key, with the key's two blocks hashed once. */
#ifndef WIRE_HMAC_H
#define WIRE_HMAC_H

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

struct hmac_key {
  SHA256_CTX inner, outer;
};

/* `size` is at most 64. */
void hmac_init(struct hmac_key *key, const uint8_t *secret, size_t size);

/* The digest of `first` followed by `second`. */
void hmac(const struct hmac_key *key, const void *first, size_t first_size, const void *second, size_t second_size,
          uint8_t out[32]);

#endif
