/* Downloads whose clients do not read: what the data centre has to give stays with the proxy and in kernels. */
#include "bulk.h"
#include "held.h"
#include "load.h"

/* Nothing is watched for at a client, so that this is its end. */
static void client_ready(struct session *session, uint32_t events) {
  (void)events;
  session_fail(session);
}

static void start(struct session **all, int count) {
  for (int i = 0; i < count; i++) {
    watch_change(&all[i]->client, 0);
    bulk_start_download(all[i]);
  }
}

const struct load slow = {"slow", held_sessions, {held_opened, client_ready, bulk_dc_ready, held_failed}, start, NULL};
