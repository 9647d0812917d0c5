#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/*
 * How connections of the generator speak TLS 1.3: with everybody, whatever the certificate says,
 * since a benchmark makes its own. Reads and writes many records at a time, so that the server gets
 * the processor. Used by many threads at once.
 */
struct secure;

/* One connection's side; belongs to one thread. */
struct secure_session;

struct secure *secure_new(void);
void secure_free(struct secure *secure);

/* Shakes hands on a connected socket that waits. NULL if that fails. `before` is resumed where the
 * server agrees; NULL: none. */
struct secure_session *secure_open(struct secure *secure, int fd,
                                   const struct secure_session *before);

/* Without a farewell: the socket is closed by the caller. NULL is accepted. */
void secure_close(struct secure_session *session);

/* Whether it was resumed. */
bool secure_is_resumed(const struct secure_session *session);

bool secure_send(struct secure_session *session, struct str bytes);

/* 0: the end; or something went wrong. */
size_t secure_receive(struct secure_session *session, char *bytes, size_t capacity);
