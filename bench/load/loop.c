#define _GNU_SOURCE
#include "loop.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, SECOND_NS = 1000000000 };

static int poll_fd = -1;
static void **garbage;
static size_t garbage_count, garbage_room;

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (int64_t)SECOND_NS + now.tv_nsec;
}

void watch_add(struct watch *watch, int fd, uint32_t events) {
  if (poll_fd < 0) poll_fd = epoll_create1(EPOLL_CLOEXEC);
  watch->fd = fd;
  watch->events = events;
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = events, .data.ptr = watch});
}

void watch_change(struct watch *watch, uint32_t events) {
  if (watch->events == events || watch->fd < 0) return;
  watch->events = events;
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, watch->fd, &(struct epoll_event){.events = events, .data.ptr = watch});
}

void watch_close(struct watch *watch) {
  if (watch->fd >= 0) close(watch->fd);
  watch->fd = -1;
}

int watch_take(struct watch *watch) {
  int fd = watch->fd;
  epoll_ctl(poll_fd, EPOLL_CTL_DEL, fd, NULL);
  watch->fd = -1;
  return fd;
}

void loop_free(void *memory) {
  if (garbage_count == garbage_room) {
    garbage_room = garbage_room * 2 + 64;
    garbage = realloc(garbage, garbage_room * sizeof *garbage);
  }
  garbage[garbage_count++] = memory;
}

void loop_turn(int64_t until) {
  struct epoll_event events[EVENTS];
  int64_t wait = until - now_ns();
  if (wait < 0) wait = 0;
  struct timespec timeout = {wait / SECOND_NS, wait % SECOND_NS};
  int count = epoll_pwait2(poll_fd, events, EVENTS, &timeout, NULL);
  for (int i = 0; i < count; i++) {
    struct watch *watch = events[i].data.ptr;
    if (watch->fd >= 0) watch->ready(watch, events[i].events);
  }
  while (garbage_count > 0) free(garbage[--garbage_count]);
}
