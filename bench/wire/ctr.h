/* AES-256-CTR in place, and random bytes. */
#ifndef WIRE_CTR_H
#define WIRE_CTR_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

EVP_CIPHER_CTX *ctr_new(const uint8_t key[32], const uint8_t iv[16]);

void ctr_apply(EVP_CIPHER_CTX *stream, uint8_t *data, size_t count);

void random_bytes(uint8_t *out, size_t count);

#endif
