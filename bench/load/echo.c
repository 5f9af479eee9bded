#include "echo.h"

#include "options.h"

/* Send what an earlier message left over, and watch for room while there is some. */
static bool flush(struct session *session, struct watch *watch, struct flow *flow) {
  if (!flow_flush(flow, watch->fd)) {
    session_fail(session);
    return false;
  }
  watch_change(watch, flow->held == NULL ? EPOLLIN : EPOLLIN | EPOLLOUT);
  return true;
}

static void tell(struct session *session, struct watch *watch, struct flow *flow) {
  if (!flow_message(flow, watch->fd, options.size)) session_fail(session);
  else if (flow->held != NULL) watch_change(watch, EPOLLIN | EPOLLOUT);
}

void echo_ask(struct session *session) {
  tell(session, &session->client, &session->up);
}

void echo_dc_ready(struct session *session, uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !flush(session, &session->dc, &session->down)) return;
  ssize_t count = flow_read(&session->up, session->dc.fd);
  if (count < 0) session_fail(session);
  while (session->stage == OPEN && session->down.sent + options.size <= session->up.received) {
    tell(session, &session->dc, &session->down);
  }
}

void echo_client_ready(struct session *session, uint32_t events, echo_answered answered) {
  if ((events & EPOLLOUT) != 0 && !flush(session, &session->client, &session->up)) return;
  uint64_t before = session->down.received / options.size;
  ssize_t count = flow_read(&session->down, session->client.fd);
  if (count < 0) {
    session_fail(session);
    return;
  }
  uint64_t after = session->down.received / options.size;
  int64_t now = now_ns();
  for (; before < after && session->stage == OPEN; before++) answered(session, now);
}
