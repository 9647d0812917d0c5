#pragma once

/*
 * A server on loopback for the tests of what asks others: a thread that takes one connection after
 * another and answers each request with the next of the answers it was given, as they are, byte by
 * byte. Behind the last it gives that again.
 */
struct stub_server;

enum { STUB_ANSWERS_MAX = 8, STUB_REQUEST_BYTES = 256 * 1024, STUB_HEADS_BYTES = 1 << 20 };

/* Answers end with NULL, and are borrowed. An empty one closes the connection without a word; a
 * stub_server_hang one says nothing until the server is freed. */
extern const char stub_server_hang[];
struct stub_server *stub_server_new(const char *const *answers);
void stub_server_free(struct stub_server *server);

/* `http://127.0.0.1:PORT`; a server that was freed leaves a port where nobody listens. */
const char *stub_server_url(const struct stub_server *server);

/* How many requests came, and the last one of them: head and body. */
int stub_server_count(struct stub_server *server);
const char *stub_server_request(struct stub_server *server);

/* The heads of all requests, in their order. */
const char *stub_server_heads(const struct stub_server *server);
