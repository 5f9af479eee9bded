/* One read and one write between the two sides of a session. */
#ifndef BASELINE_TRANSFER_H
#define BASELINE_TRANSFER_H

#include "session.h"

enum transferred {
  MOVED,
  /* The other side holds bytes that it could not send. */
  BLOCKED,
  /* FIN. */
  ENDED,
  BROKEN
};

/* `more` is set when the read was full. */
enum transferred transfer(int poll, struct session *session, struct socket *from, struct socket *to, bool *more);

#endif
