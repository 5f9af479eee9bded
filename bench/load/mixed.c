/* Small messages on schedule beside downloads that take all they can get. */
#include "bulk.h"
#include "echo.h"
#include "held.h"
#include "load.h"
#include "options.h"
#include "schedule.h"

enum { STREAMS = 8 };

static int sessions(void) {
  return STREAMS + options.connections;
}

static void client_ready(struct session *session, uint32_t events) {
  if (session->index < STREAMS) bulk_client_ready(session, events);
  else schedule_client_ready(session, events);
}

static void dc_ready(struct session *session, uint32_t events) {
  if (session->index < STREAMS) bulk_dc_ready(session, events);
  else echo_dc_ready(session, events);
}

static void start(struct session **all, int count) {
  for (int i = 0; i < STREAMS; i++) bulk_start_download(all[i]);
  schedule_start(all + STREAMS, count - STREAMS);
}

const struct load mixed = {"mixed", sessions, {held_opened, client_ready, dc_ready, held_failed}, start, schedule_tick};
