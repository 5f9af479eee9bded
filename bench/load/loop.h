/* The event loop of the generator: sockets under epoll and one schedule. */
#ifndef LOAD_LOOP_H
#define LOAD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* A socket under epoll. `ready` is called with the events of a turn. */
struct watch {
  int fd;
  uint32_t events;
  void (*ready)(struct watch *watch, uint32_t events);
};

/* Monotonic time in ns. */
int64_t now_ns(void);

void watch_add(struct watch *watch, int fd, uint32_t events);

void watch_change(struct watch *watch, uint32_t events);

/* Close the socket; events of this turn that are still to come for it are dropped. */
void watch_close(struct watch *watch);

/* Stop watching and leave the socket to the caller. */
int watch_take(struct watch *watch);

/* One turn: wait for events until `until` (ns) at the latest and hand them out. */
void loop_turn(int64_t until);

/* Free memory that watches live in, after the turn. */
void loop_free(void *memory);

#endif
