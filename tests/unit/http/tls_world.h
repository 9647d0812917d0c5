#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "http/tls.h"
#include "tests/support/fake_clock.h"

enum { TLS_WORLD_PATH_BYTES = 4096, TLS_WORLD_FILE_BYTES = 300000, TLS_WORLD_RUNS = 1000000 };

/* A server's and a client's end of TLS, both in one thread, for a test's *state. */
struct tls_world {
    char *folder;
    char certificate[TLS_WORLD_PATH_BYTES];
    char key[TLS_WORLD_PATH_BYTES];
    struct tls_config config;
    struct fake_clock clock;
    struct tls *tls;            /* once it is started */
    struct transport transport; /* the server's side */
    SSL_CTX *client_context;
    SSL *client;          /* NULL: nobody is connected */
    SSL_SESSION *session; /* that the client resumes; or NULL */
    int client_fd;
    int file_fd; /* of TLS_WORLD_FILE_BYTES times the letter f */
};

/* For each test. There is a certificate, named "first", and nothing is started. */
int tls_world_set_up(void **state);
int tls_world_tear_down(void **state);

/* Writes another certificate, for that name, and its key over what there is. */
void tls_world_write_certificate(struct tls_world *world, const char *name);

/* The server's side alone. */
void tls_world_start(struct tls_world *world);

/* Shakes hands. False if one of them gives up. */
bool tls_world_connects(struct tls_world *world);

/* As tls_world_connects, which must succeed. */
void tls_world_connect(struct tls_world *world);

/* Starts and connects. */
void tls_world_open(struct tls_world *world);

/* The connection ends, if there is one. */
void tls_world_hang_up(struct tls_world *world);
