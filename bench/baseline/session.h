/* One client connection of the relay, from its first byte to its end. */
#ifndef BASELINE_SESSION_H
#define BASELINE_SESSION_H

#include <netinet/in.h>
#include <openssl/evp.h>

#include "../wire/faketls.h"
#include "../wire/obfuscated2.h"
#include "../wire/records.h"
#include "socket.h"

struct relay {
  int poll;
  struct sockaddr_in dc, cover;
  uint8_t secret[SECRET_SIZE];
  struct hmac_key key;
  /* The DC's stream passes as it comes (protocol.md §6.3). */
  bool fast;
  /* No protocol at all: bytes to the DC and back. */
  bool copy;
  bool has_cover;
  /* Use `point` for every handshake instead of a new key. */
  bool given_key;
  uint8_t point[POINT_SIZE];
};

enum phase { OPENING, HEADER, DIALING, RELAYING };

struct session {
  struct socket client, upstream;
  enum phase phase;
  /* The client speaks TLS records. */
  bool records;
  /* Bytes pass as they are: to the cover, or under --copy. */
  bool verbatim;
  bool dead;
  struct record_reader reader;
  uint8_t *opening;
  size_t opening_size;
  /* The client's header and what follows from it, until the DC is there. */
  struct header_keys *keys;
  int dc;
  uint8_t tag;
  EVP_CIPHER_CTX *client_up, *dc_up, *dc_down, *client_down;
  struct session *next_dead;
};

void session_accept(struct relay *relay, int fd);

void session_ready(struct relay *relay, struct socket *socket, uint32_t events);

/* Free the sessions that ended; only between two rounds of events. */
void session_bury(void);

#endif
