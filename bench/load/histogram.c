#include "histogram.h"

enum { SHIFT = 7 };

static int cell_of(uint64_t ns) {
  if (ns < HISTOGRAM_STEPS) return ns;
  int scale = 63 - __builtin_clzll(ns) - SHIFT + 1;
  return (scale << (SHIFT - 1)) + (ns >> scale);
}

static uint64_t top_of(int cell) {
  if (cell < HISTOGRAM_STEPS) return cell;
  int scale = (cell >> (SHIFT - 1)) - 1;
  uint64_t mantissa = cell - ((uint64_t)scale << (SHIFT - 1));
  return ((mantissa + 1) << scale) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns) {
  histogram->count++;
  histogram->cells[cell_of(ns)]++;
  if (ns > histogram->max) histogram->max = ns;
}

double histogram_us(const struct histogram *histogram, double part) {
  uint64_t wanted = part * histogram->count, seen = 0;
  if (histogram->count == 0) return 0;
  for (int cell = 0; cell < HISTOGRAM_CELLS; cell++) {
    seen += histogram->cells[cell];
    if (seen > wanted || seen == histogram->count) {
      uint64_t top = top_of(cell);
      return (top < histogram->max ? top : histogram->max) / 1e3;
    }
  }
  return histogram->max / 1e3;
}
