#include "hmac.h"

#include <string.h>

enum { BLOCK = 64 };

static void absorb(SHA256_CTX *state, const uint8_t *secret, size_t size, uint8_t pad) {
  uint8_t block[BLOCK];
  memset(block, pad, sizeof block);
  for (size_t i = 0; i < size; i++) block[i] ^= secret[i];
  SHA256_Init(state);
  SHA256_Update(state, block, sizeof block);
}

void hmac_init(struct hmac_key *key, const uint8_t *secret, size_t size) {
  absorb(&key->inner, secret, size, 0x36);
  absorb(&key->outer, secret, size, 0x5c);
}

void hmac(const struct hmac_key *key, const void *first, size_t first_size, const void *second, size_t second_size,
          uint8_t out[32]) {
  SHA256_CTX state = key->inner;
  SHA256_Update(&state, first, first_size);
  SHA256_Update(&state, second, second_size);
  SHA256_Final(out, &state);
  state = key->outer;
  SHA256_Update(&state, out, 32);
  SHA256_Final(out, &state);
}
