/* What a load has done so far. */
#ifndef LOAD_RESULT_H
#define LOAD_RESULT_H

#include "histogram.h"

struct result {
  /* Messages answered, sessions set up, or hellos refused. */
  uint64_t ops;
  /* Bytes of streams that have arrived, as the receiver's socket counts them. */
  uint64_t bytes;
  uint64_t errors;
  struct histogram latency;
};

extern struct result result;

#endif
