#define _GNU_SOURCE
#include "faketls.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "ctr.h"
#include "net.h"

enum { RANDOM_AT = 11, RANDOM_SIZE = 32, SESSION_AT = 43, STAMP_AT = 28, SKEW_SECONDS = 120, HELLO_PADDED = 1740 };

static const uint8_t change_cipher_spec[] = {0x14, 3, 3, 0, 1, 1};

/* HMAC of a record with its random zeroed, behind `prefix`. */
static void sign(const struct hmac_key *key, const void *prefix, size_t prefix_size, uint8_t *data, size_t size,
                 uint8_t digest[32]) {
  uint8_t random[RANDOM_SIZE];
  memcpy(random, data + RANDOM_AT, RANDOM_SIZE);
  memset(data + RANDOM_AT, 0, RANDOM_SIZE);
  hmac(key, prefix, prefix_size, data, size, digest);
  memcpy(data + RANDOM_AT, random, RANDOM_SIZE);
}

static uint32_t little_endian(const uint8_t *at) {
  return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

bool hello_check(const struct hmac_key *key, uint8_t *hello, size_t size) {
  uint8_t digest[32], different = 0;
  if (size < HELLO_MIN || hello[SESSION_AT] != RANDOM_SIZE) return false;
  sign(key, NULL, 0, hello, size, digest);
  for (int i = 0; i < STAMP_AT; i++) different |= digest[i] ^ hello[RANDOM_AT + i];
  uint32_t stamp = little_endian(digest + STAMP_AT) ^ little_endian(hello + RANDOM_AT + STAMP_AT);
  int64_t skew = (int64_t)time(NULL) - stamp;
  return different == 0 && skew <= SKEW_SECONDS && skew >= -SKEW_SECONDS;
}

void flight_make(const struct hmac_key *key, const uint8_t *hello, const uint8_t point[POINT_SIZE],
                 uint8_t out[FLIGHT_SIZE]) {
  static const uint8_t head[] = {0x16, 3, 3, 0, 0x7a, 2, 0, 0, 0x76, 3, 3};
  static const uint8_t tail[] = {0x13, 1, 0, 0, 0x2e, 0, 0x2b, 0, 2, 3, 4, 0, 0x33, 0, 0x24, 0, 0x1d, 0, 0x20};
  uint8_t *at = out;
  at = mempcpy(at, head, sizeof head);
  at = memset(at, 0, RANDOM_SIZE) + RANDOM_SIZE;
  at = mempcpy(at, hello + SESSION_AT, 1 + RANDOM_SIZE);
  at = mempcpy(at, tail, sizeof tail);
  at = mempcpy(at, point, POINT_SIZE);
  at = mempcpy(at, change_cipher_spec, sizeof change_cipher_spec);
  at = mempcpy(at, (uint8_t[]){0x17, 3, 3, FLIGHT_BODY >> 8, FLIGHT_BODY & 0xff}, 5);
  random_bytes(at, FLIGHT_BODY);
  hmac(key, hello + RANDOM_AT, RANDOM_SIZE, out, FLIGHT_SIZE, out + RANDOM_AT);
}

void point_make(uint8_t point[POINT_SIZE]) {
  static EVP_PKEY_CTX *maker;
  EVP_PKEY *pair = NULL;
  size_t size = POINT_SIZE;
  if (maker == NULL) {
    maker = EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, NULL);
    EVP_PKEY_keygen_init(maker);
  }
  if (EVP_PKEY_keygen(maker, &pair) != 1 || EVP_PKEY_get_raw_public_key(pair, point, &size) != 1) die("no x25519");
  EVP_PKEY_free(pair);
}

/* Bytes that grow at their end, with the lengths of vectors filled in later. */
struct writer {
  uint8_t *at;
};

static void put(struct writer *out, const void *data, size_t size) {
  out->at = mempcpy(out->at, data, size);
}

static void put_u16(struct writer *out, unsigned value) {
  put(out, (uint8_t[]){value >> 8, value}, 2);
}

static uint8_t *open_vector(struct writer *out) {
  uint8_t *start = out->at;
  out->at += 2;
  return start;
}

static void close_vector(struct writer *out, uint8_t *start) {
  size_t size = out->at - start - 2;
  start[0] = size >> 8;
  start[1] = size;
}

static void put_server_name(struct writer *out, const char *sni) {
  size_t size = strlen(sni);
  put_u16(out, 0);
  put_u16(out, size + 5);
  put_u16(out, size + 3);
  put(out, "", 1);
  put_u16(out, size);
  put(out, sni, size);
}

static void put_share(struct writer *out, unsigned group, size_t size) {
  put_u16(out, group);
  put_u16(out, size);
  random_bytes(out->at, size);
  out->at += size;
}

static void put_extensions(struct writer *out, const char *sni, const uint8_t *start) {
  uint8_t *all = open_vector(out);
  put_server_name(out, sni);
  put(out, (uint8_t[]){0, 43, 0, 5, 4, 3, 4, 3, 3}, 9);
  put_u16(out, 51);
  uint8_t *extension = open_vector(out), *shares = open_vector(out);
  put_share(out, 0x11ec, 1216);
  put_share(out, 0x001d, POINT_SIZE);
  close_vector(out, shares);
  close_vector(out, extension);
  put_u16(out, 21);
  uint8_t *padding = open_vector(out);
  while (out->at < start + HELLO_PADDED) *out->at++ = 0;
  close_vector(out, padding);
  close_vector(out, all);
}

size_t hello_make(const struct hmac_key *key, const char *sni, uint8_t out[HELLO_MAX]) {
  struct writer writer = {out};
  uint8_t digest[32];
  put(&writer, (uint8_t[]){0x16, 3, 1}, 3);
  uint8_t *record = open_vector(&writer);
  put(&writer, (uint8_t[]){1, 0}, 2);
  uint8_t *message = open_vector(&writer);
  put_u16(&writer, 0x0303);
  memset(writer.at, 0, RANDOM_SIZE);
  writer.at += RANDOM_SIZE;
  put(&writer, (uint8_t[]){RANDOM_SIZE}, 1);
  random_bytes(writer.at, RANDOM_SIZE);
  writer.at += RANDOM_SIZE;
  put(&writer, (uint8_t[]){0, 8, 0x5a, 0x5a, 0x13, 1, 0x13, 2, 0x13, 3, 1, 0}, 12);
  put_extensions(&writer, sni, out);
  close_vector(&writer, message);
  close_vector(&writer, record);
  sign(key, NULL, 0, out, writer.at - out, digest);
  uint32_t stamp = little_endian(digest + STAMP_AT) ^ (uint32_t)time(NULL);
  for (int i = 0; i < 4; i++) digest[STAMP_AT + i] = stamp >> 8 * i;
  memcpy(out + RANDOM_AT, digest, RANDOM_SIZE);
  return writer.at - out;
}

long flight_check(const struct hmac_key *key, const uint8_t random[32], uint8_t *data, size_t size) {
  uint8_t digest[32];
  static const uint8_t record[] = {0x17, 3, 3};
  if (size >= 3 && memcmp(data, (uint8_t[]){0x16, 3, 3}, 3) != 0) return -1;
  if (size < 5) return 0;
  size_t body = 5 + (data[3] << 8 | data[4]) + sizeof change_cipher_spec;
  if (size < body + 5) return 0;
  if (memcmp(data + body - sizeof change_cipher_spec, change_cipher_spec, sizeof change_cipher_spec) != 0) return -1;
  if (body < SESSION_AT || memcmp(data + body, record, sizeof record) != 0) return -1;
  size_t end = body + 5 + (data[body + 3] << 8 | data[body + 4]);
  if (size < end) return 0;
  sign(key, random, 32, data, end, digest);
  return memcmp(digest, data + RANDOM_AT, 32) == 0 ? (long)end : -1;
}
