#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../wire/net.h"

struct options options = {
    .dc_number = 2, .connections = 4, .seconds = 1.2, .warm_up = 0.3, .size = 100, .record = 2878, .sni = "cover.test"};

static const char usage[] =
    "usage: load --load NAME --proxy HOST:PORT --secret HEX --dc-listen HOST:PORT [options]\n"
    "\n"
    "loads\n"
    "  download   N streams from the data centre, as fast as they go\n"
    "  upload     N streams of clients, in TLS records of --record bytes\n"
    "  paced      N downloads at --rate bytes a second each\n"
    "  pingpong   N connections, a message of --size bytes and back, closed loop\n"
    "  openloop   N connections, --rate messages a second on a schedule, latency from the scheduled time\n"
    "  mixed      8 downloads beside --rate messages a second on N connections\n"
    "  setup      sessions set up, one message answered, closed; N at once\n"
    "  refused    hellos with a wrong signature, answered by the cover (--cover-listen); N at once\n"
    "  idle       N sessions held, --active of them with --rate messages a second all together\n"
    "  slow       N streams from the data centre, of which clients read nothing\n"
    "  halfopen   N connections that send half a hello and then nothing (--cover-listen)\n"
    "\n"
    "options\n"
    "  --connections N   --seconds S (measured)   --warm-up S   --size BYTES   --record BYTES   --rate R   --active PART\n"
    "  --dc-number N     index that clients ask for (2)\n"
    "  --sni NAME        for a secret that names none\n"
    "  --cover-listen HOST:PORT   be the cover, too\n"
    "  --pid PID         measure this process of the proxy; may be repeated\n"
    "  --core N          count other work on this core alone; may be repeated\n"
    "  --verify          compare every byte\n"
    "  --direct          no proxy: what the generator itself can do\n"
    "\n"
    "The secret is 32 hex digits, dd + 32, or ee + 32 + domain. Prints one line of JSON.";

/* The mode of a session follows from the form of the secret (protocol.md §1.1). */
static void read_secret(const char *text) {
  uint8_t bytes[1 + SECRET_SIZE + SNI_MAX];
  size_t size = parse_hex(text, bytes, sizeof bytes - 1);
  options.has_secret = true;
  options.tls = size > 1 + SECRET_SIZE && bytes[0] == 0xee;
  if (!options.tls && size != SECRET_SIZE && (size != 1 + SECRET_SIZE || bytes[0] != 0xdd)) die("no secret: %s", text);
  memcpy(options.secret, bytes + (size > SECRET_SIZE), SECRET_SIZE);
  if (!options.tls) return;
  size_t domain = size - 1 - SECRET_SIZE;
  memcpy(options.sni, bytes + 1 + SECRET_SIZE, domain);
  options.sni[domain] = '\0';
}

static void set(int option, const char *value) {
  switch (option) {
    case 'l': options.load = value; return;
    case 'p': options.proxy = parse_endpoint(value); return;
    case 's': read_secret(value); return;
    case 'd': options.dc_listen = parse_endpoint(value); return;
    case 'C': options.cover_listen = parse_endpoint(value); options.has_cover = true; return;
    case 'D': options.dc_number = atoi(value); return;
    case 'n': options.connections = atoi(value); return;
    case 't': options.seconds = atof(value); return;
    case 'w': options.warm_up = atof(value); return;
    case 'b': options.size = atoi(value); return;
    case 'r': options.record = atoi(value); return;
    case 'R': options.rate = atof(value); return;
    case 'c': options.cores |= UINT64_C(1) << (atoi(value) & 63); return;
    case 'a': options.active = atof(value); return;
    case 'S': snprintf(options.sni, sizeof options.sni, "%s", value); return;
    case 'v': options.verify = true; return;
    case 'x': options.direct = true; return;
    case 'P':
      if (options.pid_count == PIDS_MAX) die("at most %d times --pid", PIDS_MAX);
      options.pids[options.pid_count++] = atoi(value);
      return;
    case 'h': puts(usage); exit(0);
    default: die("%s", usage);
  }
}

static void check(void) {
  if (options.load == NULL || options.dc_listen.sin_family == 0) die("%s", usage);
  if (options.direct) {
    options.tls = options.has_secret = false;
  } else if (!options.has_secret || options.proxy.sin_family == 0) {
    die("%s", usage);
  }
  if (options.connections < 1 || options.size < 1 || options.size > 16384) die("sizes are from 1 to 16384");
  if (options.record < 64 || options.record > 16384) die("records have from 64 to 16384 bytes");
}

void read_options(int count, char **arguments) {
  static const struct option known[] = {
      {"load", 1, NULL, 'l'},        {"proxy", 1, NULL, 'p'},       {"secret", 1, NULL, 's'},
      {"dc-listen", 1, NULL, 'd'},   {"cover-listen", 1, NULL, 'C'}, {"dc-number", 1, NULL, 'D'},
      {"connections", 1, NULL, 'n'}, {"seconds", 1, NULL, 't'},     {"warm-up", 1, NULL, 'w'},
      {"size", 1, NULL, 'b'},        {"record", 1, NULL, 'r'},      {"rate", 1, NULL, 'R'},
      {"active", 1, NULL, 'a'},      {"sni", 1, NULL, 'S'},         {"verify", 0, NULL, 'v'},
      {"direct", 0, NULL, 'x'},      {"pid", 1, NULL, 'P'},         {"core", 1, NULL, 'c'},
      {"help", 0, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) set(option, optarg);
  check();
}
