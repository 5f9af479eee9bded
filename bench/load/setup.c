/* Whole sessions, one after the other in --connections places: connect, handshakes, one message from the DC, close. */
#include "load.h"
#include "options.h"
#include "result.h"

/* Places without a session. */
static int vacant;

static int none(void) {
  return 0;
}

static void opened(struct session *session) {
  if (!flow_message(&session->down, session->dc.fd, options.size)) session_fail(session);
}

static void failed(struct session *session) {
  (void)session;
  result.errors++;
  vacant++;
}

static void client_ready(struct session *session, uint32_t events) {
  (void)events;
  if (flow_read(&session->down, session->client.fd) < 0) {
    session_fail(session);
    return;
  }
  if (session->down.received < (uint64_t)options.size) return;
  histogram_add(&result.latency, now_ns() - session->started);
  result.ops++;
  vacant++;
  session_close(session);
}

/* The client speaks no more after its opening; what can be read is the end. */
static void dc_ready(struct session *session, uint32_t events) {
  (void)events;
  session_fail(session);
}

static void start(struct session **all, int count) {
  (void)all;
  (void)count;
  vacant = options.connections;
}

static int64_t tick(int64_t now) {
  (void)now;
  for (; vacant > 0 && session_begin(0) != NULL; vacant--);
  return INT64_MAX;
}

const struct load setup = {"setup", none, {opened, client_ready, dc_ready, failed}, start, tick};
