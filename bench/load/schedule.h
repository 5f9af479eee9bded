/* Messages sent when they are due, whatever the proxy does: the latency of each counts from then. */
#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

#include "session.h"

/* Send --rate messages a second over these sessions in turn. */
void schedule_start(struct session **sessions, int count);

/* Send what is due. Returns when the next message is. */
int64_t schedule_tick(int64_t now);

void schedule_client_ready(struct session *session, uint32_t events);

#endif
