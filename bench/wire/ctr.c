#include "ctr.h"

#include <openssl/rand.h>

#include "net.h"

EVP_CIPHER_CTX *ctr_new(const uint8_t key[32], const uint8_t iv[16]) {
  static EVP_CIPHER *cipher;
  if (cipher == NULL) cipher = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
  EVP_CIPHER_CTX *stream = EVP_CIPHER_CTX_new();
  if (stream == NULL || EVP_EncryptInit_ex2(stream, cipher, key, iv, NULL) != 1) die("no AES-256-CTR");
  return stream;
}

void ctr_apply(EVP_CIPHER_CTX *stream, uint8_t *data, size_t count) {
  int out;
  EVP_EncryptUpdate(stream, data, &out, data, count);
}

void random_bytes(uint8_t *out, size_t count) {
  if (RAND_bytes(out, count) != 1) die("no random bytes");
}
