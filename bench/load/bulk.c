#include "bulk.h"

#include "held.h"
#include "load.h"
#include "options.h"
#include "result.h"

static void receive(struct session *session, struct flow *flow, int fd) {
  ssize_t count = options.verify ? flow_read(flow, fd) : flow_discard(flow, fd);
  if (count < 0) session_fail(session);
  else result.bytes += count;
}

/* The end that should only send has something to read: the proxy closed it. */
static bool has_ended(uint32_t events) {
  return (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
}

void bulk_client_ready(struct session *session, uint32_t events) {
  (void)events;
  receive(session, &session->down, session->client.fd);
}

void bulk_dc_ready(struct session *session, uint32_t events) {
  if (has_ended(events) || flow_stream(&session->down, session->dc.fd, SIZE_MAX) < 0) session_fail(session);
}

void bulk_start_download(struct session *session) {
  watch_change(&session->dc, EPOLLIN | EPOLLOUT);
}

static void start_download(struct session **all, int count) {
  for (int i = 0; i < count; i++) bulk_start_download(all[i]);
}

static void upload_client_ready(struct session *session, uint32_t events) {
  if (has_ended(events) || flow_stream(&session->up, session->client.fd, SIZE_MAX) < 0) session_fail(session);
}

static void upload_dc_ready(struct session *session, uint32_t events) {
  (void)events;
  receive(session, &session->up, session->dc.fd);
}

static void start_upload(struct session **all, int count) {
  for (int i = 0; i < count; i++) watch_change(&all[i]->client, EPOLLIN | EPOLLOUT);
}

const struct load download = {
    "download", held_sessions, {held_opened, bulk_client_ready, bulk_dc_ready, held_failed}, start_download, NULL};
const struct load upload = {
    "upload", held_sessions, {held_opened, upload_client_ready, upload_dc_ready, held_failed}, start_upload, NULL};
