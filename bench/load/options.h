/* What the generator was asked to do. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire/obfuscated2.h"

enum { PIDS_MAX = 8, SNI_MAX = 183 };

struct options {
  struct sockaddr_in proxy, dc_listen, cover_listen;
  const char *load;
  /* Fake-TLS; otherwise bare obfuscated2. */
  bool tls;
  /* No proxy: clients go straight to the data centre of the generator. */
  bool direct;
  /* Encrypt, decrypt and compare every byte. */
  bool verify;
  bool has_secret, has_cover;
  uint8_t secret[SECRET_SIZE];
  char sni[SNI_MAX];
  int dc_number;
  int connections;
  /* Length of the measured part, and of what runs before it unmeasured. */
  double seconds, warm_up;
  /* Bytes of a message or of a refused hello's answer. */
  int size;
  /* Payload bytes of an uploaded TLS record. */
  int record;
  /* Messages a second, all connections together; or bytes a second of each paced connection. */
  double rate;
  /* Part of the connections that is active in the load `idle`. */
  double active;
  /* Cores whose other work is a disturbance, by bit; 0 is all cores. */
  uint64_t cores;
  int pids[PIDS_MAX];
  int pid_count;
};

extern struct options options;

void read_options(int count, char **arguments);

#endif
