/* One non-blocking socket of the relay, and what the kernel has not taken from it yet. */
#ifndef BASELINE_SOCKET_H
#define BASELINE_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct session;

struct socket {
  int fd;
  /* Events that epoll watches for. */
  uint32_t events;
  /* The peer's FIN has been read. */
  bool ended;
  /* A FIN follows what is held. */
  bool finish;
  uint32_t held_from, held_to;
  uint8_t *held;
  struct session *session;
};

/* Put a socket under epoll. */
void socket_add(int poll, struct socket *socket, int fd, uint32_t events);

/* Change what epoll watches for: set `on`, clear `off`. */
void socket_watch(int poll, struct socket *socket, uint32_t on, uint32_t off);

enum sent { SENT, HELD, FAILED };

/* Send, and hold what the kernel does not take; then epoll watches for room. Nothing may be held before. */
enum sent socket_send(int poll, struct socket *socket, const uint8_t *data, size_t size);

/* Send what is held. SENT when nothing is held any more. */
enum sent socket_flush(int poll, struct socket *socket);

/* Send FIN after what is held. */
void socket_end(struct socket *socket);

/* Close and forget. */
void socket_close(struct socket *socket);

#endif
