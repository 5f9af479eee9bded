/* Streams in one direction. */
#ifndef LOAD_BULK_H
#define LOAD_BULK_H

#include "session.h"

/* Receive what has come down at the client. */
void bulk_client_ready(struct session *session, uint32_t events);

/* Send down as fast as the socket takes it. */
void bulk_dc_ready(struct session *session, uint32_t events);

/* Let the data centre send. */
void bulk_start_download(struct session *session);

#endif
