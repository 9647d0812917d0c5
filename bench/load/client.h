#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "secure.h"

enum { CLIENT_BUFFER_BYTES = 16 * 1024, CLIENT_LOCATION_BYTES = 2048, CLIENT_PATH_BYTES = 2300 };

/* As clients have it: without it, some registries convert what they hold into an old format. */
#define CLIENT_ACCEPT "application/vnd.oci.image.manifest.v1+json, */*"

/* A connection to 127.0.0.1 that waits for its answers. */
struct client {
    int fd; /* -1: none */
    unsigned port;
    struct secure *secure;               /* NULL: without TLS; borrowed */
    const struct secure_session *before; /* to resume; NULL: none; borrowed */
    struct secure_session *session;      /* NULL: without TLS, or not open */
    char buffer[CLIENT_BUFFER_BYTES];
};

struct client_request {
    const char *method;
    const char *path;
    const char *content_type; /* NULL: none */
    struct str body;
    uint64_t more_bytes; /* of the body, which the caller sends with client_send */
};

struct client_answer {
    int status;
    uint64_t body_bytes;
    char location[CLIENT_LOCATION_BYTES]; /* path and query of the Location, or empty */
};

/* Connects, and shakes hands where TLS is spoken. False with fd == -1 if that fails. */
bool client_open(struct client *client, unsigned port);
void client_close(struct client *client);

/* False: the connection is of no use any more. */
bool client_send_request(struct client *client, const struct client_request *request);
bool client_send(struct client *client, struct str bytes);

/* Reads an answer; its body is dropped (without TLS without being copied). */
bool client_receive(struct client *client, bool is_head, struct client_answer *answer_out);

/* Both, on a connection that is opened if it is not; closed if something went wrong. */
bool client_ask(struct client *client, const struct client_request *request,
                struct client_answer *answer_out);

/* Reads a head, which ends in an empty line. False if it makes no sense. */
bool client_parse_head(struct str head, bool is_head, struct client_answer *answer_out);
