/* TLS records after the fake handshake. */
#ifndef WIRE_RECORDS_H
#define WIRE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { RECORD_HEADER = 5, RECORD_PAYLOAD = 16384 };

struct record_reader {
  uint8_t header[RECORD_HEADER];
  uint8_t have;
  bool keep;
  uint16_t left;
};

/*
 * Move the stream's bytes to the front of `data`. Returns how many there are, or -1 when a record is neither application
 * data nor change-cipher-spec, which is dropped.
 */
ssize_t records_unwrap(struct record_reader *reader, uint8_t *data, size_t count);

void record_header(uint8_t out[RECORD_HEADER], size_t payload);

#endif
