/* Latencies, counted in steps of under two per cent. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 128, HISTOGRAM_CELLS = 4096 };

struct histogram {
  uint64_t count, max;
  uint32_t cells[HISTOGRAM_CELLS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* The value that `part` (0 to 1) of all are not above, in us; 0 when there is none. */
double histogram_us(const struct histogram *histogram, double part);

#endif
