/* One session through the proxy, with both of its ends: the client and the data centre. */
#ifndef LOAD_SESSION_H
#define LOAD_SESSION_H

#include <sys/epoll.h>

#include "../wire/obfuscated2.h"
#include "flow.h"
#include "loop.h"

enum stage { CONNECTING, FLIGHT, WAITING, OPEN, CLOSED };

struct session {
  struct watch client, dc;
  enum stage stage;
  uint32_t number;
  /* Place among the sessions of a load that holds them open. */
  int index;
  struct flow up, down;
  /* When the connection was begun, ns. */
  int64_t started;
  /* Of the handshake; NULL after it. */
  struct handshake *handshake;
  /* Free for the load. */
  void *extra;
};

/* What a load does with its sessions. */
struct session_events {
  /* Both ends are there. */
  void (*opened)(struct session *session);
  void (*client_ready)(struct session *session, uint32_t events);
  void (*dc_ready)(struct session *session, uint32_t events);
  /* Ended without being asked to; it is closed afterwards. */
  void (*failed)(struct session *session);
};

/* Listen for the data centre's connections. */
void sessions_listen(const struct session_events *events);

/* Begin a session; NULL when the system refuses a socket. */
struct session *session_begin(int index);

/* Report a fault to the load and close. */
void session_fail(struct session *session);

/* Close the client's end; the other follows when the proxy has passed the FIN on. */
void session_close(struct session *session);

#endif
