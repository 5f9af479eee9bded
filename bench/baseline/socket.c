#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void socket_add(int poll, struct socket *socket, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = socket};
  socket->fd = fd;
  socket->events = events;
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

void socket_watch(int poll, struct socket *socket, uint32_t on, uint32_t off) {
  struct epoll_event event = {.events = (socket->events | on) & ~off, .data.ptr = socket};
  if (event.events == socket->events) return;
  socket->events = event.events;
  epoll_ctl(poll, EPOLL_CTL_MOD, socket->fd, &event);
}

static ssize_t send_some(struct socket *socket, const uint8_t *data, size_t size) {
  ssize_t taken = send(socket->fd, data, size, MSG_NOSIGNAL);
  return taken < 0 && errno == EAGAIN ? 0 : taken;
}

enum sent socket_send(int poll, struct socket *socket, const uint8_t *data, size_t size) {
  ssize_t taken = send_some(socket, data, size);
  if (taken == (ssize_t)size) return SENT;
  if (taken < 0) return FAILED;
  socket->held_from = 0;
  socket->held_to = size - taken;
  socket->held = malloc(size - taken);
  memcpy(socket->held, data + taken, size - taken);
  socket_watch(poll, socket, EPOLLOUT, 0);
  return HELD;
}

enum sent socket_flush(int poll, struct socket *socket) {
  if (socket->held == NULL) return SENT;
  ssize_t taken = send_some(socket, socket->held + socket->held_from, socket->held_to - socket->held_from);
  if (taken < 0) return FAILED;
  socket->held_from += taken;
  if (socket->held_from < socket->held_to) return HELD;
  free(socket->held);
  socket->held = NULL;
  socket_watch(poll, socket, 0, EPOLLOUT);
  if (socket->finish) shutdown(socket->fd, SHUT_WR);
  return SENT;
}

void socket_end(struct socket *socket) {
  socket->finish = true;
  if (socket->held == NULL) shutdown(socket->fd, SHUT_WR);
}

void socket_close(struct socket *socket) {
  if (socket->fd >= 0) close(socket->fd);
  socket->fd = -1;
  free(socket->held);
  socket->held = NULL;
}
