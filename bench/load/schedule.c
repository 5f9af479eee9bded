#include "schedule.h"

#include <stdlib.h>

#include "echo.h"
#include "held.h"
#include "load.h"
#include "options.h"
#include "result.h"

/* Messages of one session that can wait for their answer; one more is an error. */
enum { WAITING_MAX = 256 };

/* When the messages under way were due, oldest first. */
struct queue {
  int64_t due[WAITING_MAX];
  unsigned from, to;
};

static struct session **all;
static int count;
static int64_t begun;
static uint64_t sent;

void schedule_start(struct session **sessions, int sessions_count) {
  all = sessions;
  count = options.rate > 0 ? sessions_count : 0;
  begun = now_ns();
  for (int i = 0; i < count; i++) all[i]->extra = calloc(1, sizeof(struct queue));
}

static void ask(struct session *session, int64_t due) {
  struct queue *queue = session->extra;
  if (session->stage != OPEN) return;
  if (queue->to - queue->from == WAITING_MAX) {
    result.errors++;
    return;
  }
  queue->due[queue->to++ % WAITING_MAX] = due;
  echo_ask(session);
}

int64_t schedule_tick(int64_t now) {
  if (count == 0) return INT64_MAX;
  for (;;) {
    int64_t due = begun + (int64_t)(sent * 1e9 / options.rate);
    if (due > now) return due;
    ask(all[sent++ % count], due);
  }
}

static void answered(struct session *session, int64_t now) {
  struct queue *queue = session->extra;
  histogram_add(&result.latency, now - queue->due[queue->from++ % WAITING_MAX]);
  result.ops++;
}

void schedule_client_ready(struct session *session, uint32_t events) {
  echo_client_ready(session, events, answered);
}

static void start_active(struct session **sessions, int sessions_count) {
  schedule_start(sessions, (int)(options.active * sessions_count));
}

const struct load openloop = {"openloop",
                              held_sessions,
                              {held_opened, schedule_client_ready, echo_dc_ready, held_failed},
                              schedule_start,
                              schedule_tick};
const struct load idle = {
    "idle", held_sessions, {held_opened, schedule_client_ready, echo_dc_ready, held_failed}, start_active, schedule_tick};
