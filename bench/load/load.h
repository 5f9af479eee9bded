/* A load: what is driven through the proxy. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "session.h"

struct load {
  const char *name;
  /* Sessions to hold open before the load starts. */
  int (*sessions)(void);
  struct session_events events;
  /* Begin; `sessions` are open and stay the caller's. */
  void (*start)(struct session **sessions, int count);
  /* Do what is due. Returns when to be called next, ns; NULL when nothing is scheduled. */
  int64_t (*tick)(int64_t now);
};

extern const struct load download, upload, paced, pingpong, openloop, mixed, setup, refused, idle, slow, halfopen;

#endif
