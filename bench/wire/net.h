/* Sockets on loopback and the small parts of a command line. */
#ifndef WIRE_NET_H
#define WIRE_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Print a message and end with status 2. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* "127.0.0.1:443"; IPv4 only. */
struct sockaddr_in parse_endpoint(const char *text);

/* Returns the number of bytes, or 0 when the text is no hex or longer than `max` bytes. */
size_t parse_hex(const char *text, uint8_t *out, size_t max);

/* A non-blocking listener; `at` is changed to where it listens, so that port 0 can be asked for. */
int listen_on(struct sockaddr_in *at);

/* The next connection of a listener, non-blocking and without delay; -1 when there is none. */
int accept_from(int listener);

/* A non-blocking socket that is connecting to `to`; -1 when the system refuses. */
int connect_to(const struct sockaddr_in *to);

/* 0 when the socket is connected, else the system error. */
int socket_error(int fd);

/* Raise the limit of open files to the most that is allowed. */
void allow_many_files(void);

#endif
