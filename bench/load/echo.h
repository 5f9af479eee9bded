/* Messages that the data centre sends back. */
#ifndef LOAD_ECHO_H
#define LOAD_ECHO_H

#include "session.h"

/* Answer every whole message that has come up. */
void echo_dc_ready(struct session *session, uint32_t events);

/* Called at the client for every answer. */
typedef void (*echo_answered)(struct session *session, int64_t now);

/* Take in answers at the client. */
void echo_client_ready(struct session *session, uint32_t events, echo_answered answered);

/* Send a message of --size bytes. */
void echo_ask(struct session *session);

#endif
