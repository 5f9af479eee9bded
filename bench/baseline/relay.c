/*
 * The baseline: a small MTProto proxy in C with epoll, one thread and OpenSSL in place. It does the work of a proxy and
 * nothing else: one secret, no replay memory, no accounting, no timers.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "../wire/net.h"
#include "session.h"

enum { EVENTS = 256, ACCEPTS_PER_TURN = 64 };

static const char usage[] =
    "usage: relay --listen HOST:PORT --dc HOST:PORT --secret HEX32 [--cover HOST:PORT] [--fast] [--copy] [--given-key]\n"
    "Prints the port that it listens on.";

static struct sockaddr_in read_options(struct relay *relay, int count, char **arguments) {
  static const struct option options[] = {
      {"listen", required_argument, NULL, 'l'}, {"dc", required_argument, NULL, 'd'},
      {"secret", required_argument, NULL, 's'}, {"cover", required_argument, NULL, 'c'},
      {"fast", no_argument, NULL, 'f'},         {"copy", no_argument, NULL, 'p'},
      {"given-key", no_argument, NULL, 'g'},    {NULL, 0, NULL, 0},
  };
  struct sockaddr_in listen = {.sin_family = 0};
  bool secret = false;
  for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
    if (option == 'l') listen = parse_endpoint(optarg);
    else if (option == 'd') relay->dc = parse_endpoint(optarg);
    else if (option == 's') secret = parse_hex(optarg, relay->secret, SECRET_SIZE) == SECRET_SIZE;
    else if (option == 'c') relay->cover = parse_endpoint(optarg);
    else if (option == 'f') relay->fast = true;
    else if (option == 'p') relay->copy = true;
    else if (option == 'g') relay->given_key = true;
    else die("%s", usage);
  }
  if (listen.sin_family == 0 || relay->dc.sin_family == 0 || (!secret && !relay->copy)) die("%s", usage);
  relay->has_cover = relay->cover.sin_family != 0;
  return listen;
}

static void accept_clients(struct relay *relay, int listener) {
  for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
    int fd = accept_from(listener);
    if (fd < 0) return;
    session_accept(relay, fd);
  }
}

int main(int count, char **arguments) {
  static struct relay relay;
  struct epoll_event events[EVENTS];
  struct sockaddr_in at = read_options(&relay, count, arguments);
  signal(SIGPIPE, SIG_IGN);
  allow_many_files();
  hmac_init(&relay.key, relay.secret, SECRET_SIZE);
  point_make(relay.point);
  relay.poll = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_on(&at);
  epoll_ctl(relay.poll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN});
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  for (;;) {
    int ready = epoll_wait(relay.poll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.ptr == NULL) accept_clients(&relay, listener);
      else session_ready(&relay, events[i].data.ptr, events[i].events);
    }
    session_bury();
  }
}
