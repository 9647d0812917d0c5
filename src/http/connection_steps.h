#pragma once

#include "http/connection.h"

/*
 * The steps of a connection's life, in their order; called by connection.c's step and by each
 * other. For the sources connection*.c only. Each returns what the connection wants next, WANT_NEXT
 * to go on with its new state.
 */

/* connection_receive.c */
enum connection_want connection_shake_hands(struct connection *connection);
enum connection_want connection_receive_head(struct connection *connection);
enum connection_want connection_begin(struct connection *connection);
enum connection_want connection_receive_body(struct connection *connection);

/* Answers what cannot be read to its end, and closes behind the answer. */
enum connection_want connection_refuse(struct connection *connection,
                                       const struct http_refusal *refusal);

/* connection_answer.c */
enum connection_want connection_answer(struct connection *connection);
enum connection_want connection_send_answer(struct connection *connection);
enum connection_want connection_finish(struct connection *connection);
enum connection_want connection_linger(struct connection *connection);

/* connection.c */
const struct http_limits *connection_limits(const struct connection *connection);
const struct http_application *connection_application(const struct connection *connection);
bool connection_is_draining(const struct connection *connection);
bool connection_is_on_loop(const struct connection *connection);
enum connection_want connection_want_of(enum io_result result);

/* Goes on in that pool. Nobody is sent to where they are. */
enum connection_want connection_move(struct connection *connection, enum http_thread needed);
void connection_set_deadline(struct connection *connection, int64_t timeout_ms);
void connection_new_exchange(struct connection *connection);

/* The application's last call. */
void connection_end_exchange(struct connection *connection);
