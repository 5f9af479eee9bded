#include "records.h"

#include <string.h>

enum { CHANGE_CIPHER_SPEC = 0x14, APPLICATION_DATA = 0x17, ACCEPTED = RECORD_PAYLOAD + 256 };

static bool open_record(struct record_reader *reader) {
  const uint8_t *header = reader->header;
  reader->have = 0;
  reader->left = header[3] << 8 | header[4];
  reader->keep = header[0] == APPLICATION_DATA;
  if (header[1] != 3 || header[2] != 3 || reader->left > ACCEPTED) return false;
  return reader->keep || (header[0] == CHANGE_CIPHER_SPEC && reader->left == 1);
}

ssize_t records_unwrap(struct record_reader *reader, uint8_t *data, size_t count) {
  size_t from = 0, to = 0;
  while (from < count) {
    if (reader->left == 0) {
      reader->header[reader->have++] = data[from++];
      if (reader->have == RECORD_HEADER && !open_record(reader)) return -1;
      continue;
    }
    size_t size = count - from < reader->left ? count - from : reader->left;
    if (reader->keep) {
      if (to != from) memmove(data + to, data + from, size);
      to += size;
    }
    from += size;
    reader->left -= size;
  }
  return to;
}

void record_header(uint8_t out[RECORD_HEADER], size_t payload) {
  out[0] = APPLICATION_DATA;
  out[1] = out[2] = 3;
  out[3] = payload >> 8;
  out[4] = payload;
}
