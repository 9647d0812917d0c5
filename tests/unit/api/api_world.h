#pragma once

#include <stdbool.h>

#include "api/api.h"
#include "base/strbuf.h"
#include "tests/support/fake_clock.h"

/* A registry without a network: blobs in memory, metadata in a folder of its own. */
struct api_world {
    struct fake_clock clock;
    char *folder;
    struct metadata *metadata;
    struct blob_store *memory;
    struct blob_store *blobs; /* passes on to memory, but for what it is told to fail */
    struct registry *registry;
    struct log log; /* to a file, see api_world_read_log */
    struct api *api;
    struct http_application application;
    void *session; /* of the one connection that all requests come on */
    bool is_ready; /* what the server says of itself */

    /* What those ahead of a request that queues do then; NULL: a search in layers ends. */
    void (*make_way)(void *context);
    void *make_way_context;
};

enum { API_WORLD_MANIFEST_MAX_BYTES = 4 * 1024 * 1024 };

void api_world_init(struct api_world *world);
void api_world_release(struct api_world *world);

/* Serves the same registry anew, with what config says of logins, teams and proxies. */
void api_world_serve(struct api_world *world, const struct api_config *config);

/* All lines that were logged so far. */
void api_world_read_log(const struct api_world *world, struct strbuf *text);

/* The last of them; in `text`. */
const char *api_world_last_line(const struct api_world *world, struct strbuf *text);

/* What is asked; all but the request line may be left out. */
struct question {
    const char *line;              /* method and target: `GET /v2/` */
    const char *fields;            /* whole lines, each with its CRLF */
    struct str body;               /* sent in two pieces */
    bool is_chunked;               /* the body comes without Content-Length */
    bool breaks_off;               /* the client goes away behind the first piece */
    const struct question *during; /* asked on another connection behind the first piece, */
    const struct question *after;  /* or when the answer is on its way; NULL: none */
    struct reply *other;           /* to that */
};

/* What came back. */
struct reply {
    int status;
    const char *reason;
    struct strbuf headers; /* lines, with a CRLF before each and behind the last */
    struct strbuf body;
    bool was_on[HTTP_THREADS]; /* where it was moved to */
    bool is_cut;               /* the body ended before its end */
    bool took_body;            /* to its end */
    bool has_queued;           /* and the end had to come later */
};

/* Plays the HTTP server: loop first, then worker, body, end, finish. */
void api_world_ask(struct api_world *world, const struct question *question, struct reply *reply);

/* The same for what the parser refuses. */
void api_world_refuse(struct api_world *world, const char *path, const struct http_refusal *refusal,
                      struct reply *reply);

/* A reply is used again and again; what it says is gone with the next question. */
void reply_init(struct reply *reply);
void reply_release(struct reply *reply);

/* Whether it has that whole line, like `ETag: "x"`. */
bool reply_has(const struct reply *reply, const char *line);

/* The value of the field of that name, or the empty string; borrows. */
struct str reply_field(const struct reply *reply, const char *name);

/* Whether it is an OCI error: `{"errors":[{"code":"CODE",…`. */
bool reply_is_error(const struct reply *reply, int status, const char *code);

/* Whether the body holds the text. */
bool reply_says(const struct reply *reply, const char *text);

/* Pushes a blob in one request, which must work; writes its digest. */
void api_world_push_blob(struct api_world *world, struct str content,
                         char digest_out[DIGEST_TEXT_BYTES]);

/* Pushes a manifest to that path, `team/app/manifests/1.0`, with that Content-Type. */
void api_world_push(struct api_world *world, const char *path, const char *media_type,
                    const char *manifest, struct reply *reply);

enum { TEST_MANIFEST_BYTES = 4096 };

/* A manifest names the blob from now on, so that it stays. */
void api_world_name_blob(struct api_world *world, const char *digest);

/* An image manifest with that text in it, whose config and layer were pushed. */
void api_world_make_image(struct api_world *world, const char *text,
                          char manifest_out[TEST_MANIFEST_BYTES]);

#define TEST_IMAGE_TYPE "application/vnd.oci.image.manifest.v1+json"
#define TEST_INDEX_TYPE "application/vnd.oci.image.index.v1+json"
