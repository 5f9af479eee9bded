/* One message at a time on every connection: the next is sent when the answer is there. */
#include <stdlib.h>

#include "echo.h"
#include "held.h"
#include "load.h"
#include "result.h"

/* When the message that is under way was sent, by session. */
static int64_t *asked;

static void ask(struct session *session, int64_t now) {
  asked[session->index] = now;
  echo_ask(session);
}

static void answered(struct session *session, int64_t now) {
  histogram_add(&result.latency, now - asked[session->index]);
  result.ops++;
  ask(session, now);
}

static void client_ready(struct session *session, uint32_t events) {
  echo_client_ready(session, events, answered);
}

static void start(struct session **all, int count) {
  asked = calloc(count, sizeof *asked);
  for (int i = 0; i < count; i++) ask(all[i], now_ns());
}

const struct load pingpong = {
    "pingpong", held_sessions, {held_opened, client_ready, echo_dc_ready, held_failed}, start, NULL};
