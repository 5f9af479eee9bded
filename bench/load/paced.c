/* Downloads that are sent at a fixed rate each, as media is played: a piece for every session in turn. */
#include "bulk.h"
#include "held.h"
#include "load.h"
#include "options.h"
#include "result.h"

/* Every session gets its next piece after so long; at 1 MB/s that is 16 KB. */
static const int64_t period_ns = 16000000;
/* Pieces that a session may make up for at once when it fell behind. */
enum { CATCH_UP = 4 };

static struct session **all;
static int count, turn;
static int64_t begun, due;

static void start(struct session **sessions, int sessions_count) {
  all = sessions;
  count = sessions_count;
  begun = due = now_ns();
}

static void send_piece(struct session *session, int64_t now) {
  double owed = options.rate * (now - begun) / 1e9 - session->down.sent, most = CATCH_UP * options.rate * period_ns / 1e9;
  if (session->stage != OPEN || owed < 1) return;
  if (flow_stream(&session->down, session->dc.fd, owed < most ? owed : most) < 0) session_fail(session);
}

static int64_t tick(int64_t now) {
  for (; due <= now; due += period_ns / count) {
    send_piece(all[turn], now);
    turn = (turn + 1) % count;
  }
  return due;
}

/* The data centre only sends; what it could read is the end. */
static void dc_ready(struct session *session, uint32_t events) {
  (void)events;
  session_fail(session);
}

const struct load paced = {"paced", held_sessions, {held_opened, bulk_client_ready, dc_ready, held_failed}, start, tick};
