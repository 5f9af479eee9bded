#include "obfuscated2.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

enum { KEYS_AT = 8, KEYS_SIZE = 48, IV_AT = 40, TAG_AT = 56, DC_AT = 60 };

static void reverse(uint8_t out[KEYS_SIZE], const uint8_t in[KEYS_SIZE]) {
  for (int i = 0; i < KEYS_SIZE; i++) out[i] = in[KEYS_SIZE - 1 - i];
}

static void key_of(uint8_t out[32], const uint8_t part[32], const uint8_t *secret) {
  uint8_t both[32 + SECRET_SIZE];
  memcpy(both, part, 32);
  if (secret == NULL) {
    memcpy(out, both, 32);
    return;
  }
  memcpy(both + 32, secret, SECRET_SIZE);
  SHA256(both, sizeof both, out);
}

void header_derive(struct header_keys *keys, const uint8_t header[HEADER_SIZE], const uint8_t *secret) {
  uint8_t reversed[KEYS_SIZE];
  reverse(reversed, header + KEYS_AT);
  key_of(keys->up_key, header + KEYS_AT, secret);
  memcpy(keys->up_iv, header + IV_AT, 16);
  key_of(keys->down_key, reversed, secret);
  memcpy(keys->down_iv, reversed + 32, 16);
}

EVP_CIPHER_CTX *header_open(const uint8_t header[HEADER_SIZE], const struct header_keys *keys, uint8_t *tag, int *dc) {
  uint8_t plain[HEADER_SIZE];
  EVP_CIPHER_CTX *up = ctr_new(keys->up_key, keys->up_iv);
  memcpy(plain, header, HEADER_SIZE);
  ctr_apply(up, plain, HEADER_SIZE);
  *tag = plain[TAG_AT];
  *dc = (int16_t)(plain[DC_AT] | plain[DC_AT + 1] << 8);
  bool known = *tag == TAG_ABRIDGED || *tag == TAG_INTERMEDIATE || *tag == TAG_PADDED;
  if (known && memcmp(plain + TAG_AT, plain + TAG_AT + 1, 3) == 0) return up;
  EVP_CIPHER_CTX_free(up);
  return NULL;
}

/* First bytes that a server would take for another protocol. */
static bool is_reserved(const uint8_t header[HEADER_SIZE]) {
  static const char *const first[] = {"HEAD", "POST", "GET ", "OPTI", "\xdd\xdd\xdd\xdd", "\xee\xee\xee\xee", "\x16\3\1\2"};
  if (header[0] == TAG_ABRIDGED || memcmp(header + 4, "\0\0\0", 4) == 0) return true;
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
    if (memcmp(header, first[i], 4) == 0) return true;
  }
  return false;
}

void header_draw(uint8_t header[HEADER_SIZE], const struct header_keys *down) {
  do random_bytes(header, HEADER_SIZE);
  while (is_reserved(header));
  if (down == NULL) return;
  uint8_t wanted[KEYS_SIZE];
  memcpy(wanted, down->down_key, 32);
  memcpy(wanted + 32, down->down_iv, 16);
  reverse(header + KEYS_AT, wanted);
}

EVP_CIPHER_CTX *header_seal(uint8_t header[HEADER_SIZE], const struct header_keys *keys, uint8_t tag, int dc) {
  uint8_t sealed[HEADER_SIZE];
  EVP_CIPHER_CTX *up = ctr_new(keys->up_key, keys->up_iv);
  memset(header + TAG_AT, tag, 4);
  header[DC_AT] = dc;
  header[DC_AT + 1] = dc >> 8;
  memcpy(sealed, header, HEADER_SIZE);
  ctr_apply(up, sealed, HEADER_SIZE);
  memcpy(header + TAG_AT, sealed + TAG_AT, HEADER_SIZE - TAG_AT);
  return up;
}
