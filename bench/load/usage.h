/* What the measured part cost, and what may have disturbed it. */
#ifndef LOAD_USAGE_H
#define LOAD_USAGE_H

#include <stdint.h>

struct usage {
  /* CPU seconds (user and system) of the proxy's processes and of the generator. */
  double proxy_seconds, generator_seconds;
  /* Times that a thread of the proxy, or the generator, was taken off its core. */
  long proxy_preempted, generator_preempted;
  /* CPU seconds that the hypervisor gave to others. */
  double steal_seconds;
  /* CPU seconds that the cores were busy, with whatever. */
  double busy_seconds;
  /* Resident memory of the proxy's processes. */
  long proxy_rss_kb;
};

/* Read everything now; differences of two are what happened between them. */
struct usage usage_now(void);

#endif
