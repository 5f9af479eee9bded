/*
 * The load generator: client and data centre in one process, so that both ends of a session are known. It opens the
 * sessions of a load, lets it run, and prints what was done in the measured part as one line of JSON.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../wire/net.h"
#include "load.h"
#include "options.h"
#include "result.h"
#include "usage.h"

enum { AT_ONCE = 64, TURN_NS = 10000000 };
/* Sessions that even a slow proxy opens in a second. */
enum { OPENED_A_SECOND = 200 };

static const double second_ns = 1e9;

struct result result;

static const struct load *const loads[] = {&download, &upload,  &paced, &pingpong, &openloop, &mixed,
                                           &setup,    &refused, &idle,  &slow,     &halfopen};

static const struct load *find_load(const char *name) {
  for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
    if (strcmp(loads[i]->name, name) == 0) return loads[i];
  }
  die("no load is called %s", name);
}

/* One turn of the loop, with what the load has scheduled. */
static void turn(const struct load *load, int64_t until) {
  int64_t now = now_ns(), due = load->tick == NULL ? INT64_MAX : load->tick(now);
  int64_t wake = now + TURN_NS < until ? now + TURN_NS : until;
  loop_turn(due < wake ? due : wake);
}

static void run(const struct load *load, double seconds) {
  int64_t until = now_ns() + (int64_t)(seconds * second_ns);
  while (now_ns() < until) turn(load, until);
}

/* Open the sessions that the load holds, a bounded number at a time. */
static struct session **open_sessions(int count) {
  struct session **all = calloc(count, sizeof *all);
  int64_t limit = now_ns() + (int64_t)(second_ns * (10 + count / OPENED_A_SECOND));
  int begun = 0, open = 0;
  while (open < count) {
    for (; begun < count && begun - open < AT_ONCE; begun++) {
      all[begun] = session_begin(begun);
      if (all[begun] == NULL) die("no socket for session %d", begun);
    }
    loop_turn(now_ns() + TURN_NS);
    while (open < begun && all[open]->stage == OPEN) open++;
    if (result.errors > 0) die("session %d was refused", open);
    if (now_ns() > limit) die("only %d of %d sessions opened", open, count);
  }
  return all;
}

struct moment {
  int64_t at;
  uint64_t ops, bytes, errors;
  struct usage usage;
};

static struct moment moment_now(void) {
  return (struct moment){now_ns(), result.ops, result.bytes, result.errors, usage_now()};
}

static void print(const struct moment *from, const struct moment *to, long rss_before_kb) {
  const struct usage *a = &from->usage, *b = &to->usage;
  const struct histogram *latency = &result.latency;
  printf("{\"load\":\"%s\",\"connections\":%d,\"seconds\":%.4f", options.load, options.connections,
         (to->at - from->at) / second_ns);
  printf(",\"ops\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"errors\":%" PRIu64, to->ops - from->ops, to->bytes - from->bytes,
         to->errors - from->errors);
  printf(",\"damaged\":%" PRIu64, flow_damaged);
  printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f", histogram_us(latency, 0.5),
         histogram_us(latency, 0.99), histogram_us(latency, 0.999), latency->max / 1e3);
  printf(",\"proxy_cpu_seconds\":%.5f,\"generator_cpu_seconds\":%.5f", b->proxy_seconds - a->proxy_seconds,
         b->generator_seconds - a->generator_seconds);
  printf(",\"proxy_preempted\":%ld,\"generator_preempted\":%ld,\"steal_seconds\":%.3f,\"busy_seconds\":%.3f",
         b->proxy_preempted - a->proxy_preempted, b->generator_preempted - a->generator_preempted,
         b->steal_seconds - a->steal_seconds, b->busy_seconds - a->busy_seconds);
  printf(",\"rss_before_kb\":%ld,\"rss_kb\":%ld}\n", rss_before_kb, b->proxy_rss_kb);
}

int main(int count, char **arguments) {
  read_options(count, arguments);
  signal(SIGPIPE, SIG_IGN);
  allow_many_files();
  const struct load *load = find_load(options.load);
  long rss_before_kb = usage_now().proxy_rss_kb;
  sessions_listen(&load->events);
  int held = load->sessions();
  load->start(open_sessions(held), held);
  run(load, options.warm_up);
  memset(&result.latency, 0, sizeof result.latency);
  struct moment from = moment_now();
  run(load, options.seconds);
  struct moment to = moment_now();
  print(&from, &to, rss_before_kb);
  return flow_damaged > 0 ? 1 : 0;
}
