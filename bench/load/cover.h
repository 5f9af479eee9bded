/* The cover site: takes a hello, answers with --size bytes and closes. */
#ifndef LOAD_COVER_H
#define LOAD_COVER_H

#include <stdint.h>
#include <sys/types.h>

enum { COVER_ANSWER_MAX = 16384 };

/* What it answers with; at most COVER_ANSWER_MAX bytes of it. */
const uint8_t *cover_answer(void);

/* Listen on --cover-listen. Every whole hello is shown to `seen`. */
void cover_listen(void (*seen)(const uint8_t *hello, size_t size));

#endif
