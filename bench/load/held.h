/* Loads that hold a number of sessions open. */
#ifndef LOAD_HELD_H
#define LOAD_HELD_H

#include "session.h"

/* --connections */
int held_sessions(void);

void held_opened(struct session *session);

/* Count the fault. */
void held_failed(struct session *session);

#endif
