#include "held.h"

#include "options.h"
#include "result.h"

int held_sessions(void) {
  return options.connections;
}

void held_opened(struct session *session) {
  (void)session;
}

void held_failed(struct session *session) {
  (void)session;
  result.errors++;
}
