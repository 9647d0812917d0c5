#pragma once

#include "http/connection.h"

/*
 * An exchange's way through a connection, for connection.c: a step for each state from
 * CONNECTION_HEAD to CONNECTION_SEND. Each returns what the connection wants next, WANT_NEXT to go
 * on with its new state.
 */
enum connection_want connection_receive_head(struct connection *connection);
enum connection_want connection_begin(struct connection *connection);
enum connection_want connection_receive_body(struct connection *connection);
enum connection_want connection_send(struct connection *connection);

/* For a request of which nothing has been read. */
void connection_new_exchange(struct connection *connection);

/* Responds to what cannot be read to its end, and closes behind that. */
enum connection_want connection_refuse(struct connection *connection,
                                       const struct http_refusal *refusal);

/* The application's last call, unless it has not seen the exchange. */
void connection_end_exchange(struct connection *connection);
