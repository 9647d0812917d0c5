#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "api/collected_body.h"
#include "auth/authenticator.h"
#include "auth/credentials.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "base/strbuf.h"
#include "base/workers.h"
#include "http/exchange.h"
#include "registry/content_cache.h"
#include "registry/reference.h"
#include "registry/uploads.h"

struct route;
struct scm_source;

/* Seen by the sources of this folder only. */
struct api {
    struct api_config config;
    char id_prefix[9];                  /* of request ids: this process */
    atomic_ulong next_number;           /* … and the request */
    atomic_uint hashing[WORKERS_RANKS]; /* whose passwords are, or wait to be, verified, by rank */
    atomic_size_t downloads;            /* under way, of those that are limited */
    struct body_memory bodies;          /* what is collected of them */
    struct identity *anonymous;         /* where reading is public, else NULL */

    /* Monotonic: when the log may doubt a proxy again (origin.c). */
    _Atomic int64_t next_doubt_ms;
};

/* What a request needs before it is handled. A row that forgets to say so is for nobody. */
enum access {
    ACCESS_NOBODY = 0,
    ACCESS_PUBLIC,  /* whoever asks: health */
    ACCESS_LOGIN,   /* who has logged in, and be it as nobody with a token that says so */
    ACCESS_TOKEN,   /* who may log in here, for a token */
    ACCESS_PULL,    /* who may read the repository */
    ACCESS_PUSH,    /* who may write to the repository */
    ACCESS_UPLOAD,  /* who began the upload: it is bound to them */
    ACCESS_CATALOG, /* who may list all repositories */
};

enum {
    REQUEST_ID_BYTES = 40,
    RESPONSE_MAX_BYTES = 16 * 1024 * 1024, /* of a body that is made, not read from a store */
    CALL_ETAG_BYTES = DIGEST_TEXT_BYTES + 2,
};

/* What a path may say of a request (see struct route). */
enum path_parameter {
    PATH_NAME = 0, /* of a repository: of the distribution API, where it is not encoded */
    PATH_TEAM,
    PATH_ARTIFACT, /* what a repository's name has behind its team */
    PATH_TAG,
    PATH_DIGEST,
    PATH_REFERENCE, /* a tag or a digest */
    PATH_UPLOAD,    /* its id */
    PATH_IMAGE,     /* its id, or how that begins */
    PATH_PARAMETERS /* how many there are */
};

/* One request on its way through the API. Lives from begin to finish; never two threads' at a time.
 */
struct call {
    struct api *api;
    struct http_exchange *exchange;
    size_t steps_done;         /* of its life */
    const struct route *route; /* NULL: no such path */
    bool wants_body;
    char request_id[REQUEST_ID_BYTES];

    /* Who calls (login.h). */
    struct credentials credentials;     /* as presented; wiped at the end */
    struct authenticator_ticket ticket; /* what they are known by, once they are */
    struct identity *identity;   /* a reference; NULL: nobody is known, or the registry is open */
    struct str user;             /* its name, for logs and records */
    bool has_expired;            /* the credentials' time is over, or they never were good */
    bool is_hashing;             /* counted as one whose password is being verified */
    bool queues;                 /* the end was tried and has to come later: others are ahead */
    const char *challenge_error; /* of a 401: `invalid_token`, `insufficient_scope` */
    const char *challenge_description; /* … in plain words, without quotes; or NULL */

    struct str path[PATH_PARAMETERS]; /* decoded, but for the name; empty if the route has none */
    struct repository repository;     /* if the route has one */
    const struct scm_source *scm_source; /* what the pusher says; NULL: nothing */

    struct content *content; /* that the response borrows from; or NULL */
    struct upload *upload;   /* open, or NULL; closed before the response is sent */
    uint64_t expected_bytes; /* that the body must have, if has_expected_bytes */
    bool has_expected_bytes;
    struct str *tags; /* to set beside a manifest's digest; or NULL */
    size_t tag_count;
    bool has_digest;         /* a manifest is said to have that one */
    struct digest digest;    /* that the upload is to become */
    bool is_repeated;        /* what it asks for was done before: only the response is left */
    bool awaits_end;         /* of the upload, by another request that is ahead */
    int64_t awaits_until_ms; /* monotonic, as the next: how long it waits; 0: it does not */
    int64_t next_try_ms;     /* of what failed in passing; 0: it did not */
    struct strbuf body;      /* of a request whose body is collected */
    struct body_share share; /* the memory it may take */
    int64_t asked_ms;        /* monotonic: when it first got none; 0: never */
    struct strbuf written;   /* where a response's body is written */

    const struct str *details; /* JSON, of a failure; one error each */
    size_t detail_count;
    const char *failure; /* for the log: why it was refused, or what the client is not told */
    const char *granted; /* for the log: the scopes of a token that was given; NULL: none was */
};

/*
 * What is done for a route. Functions that fail set err, and that is the response; header
 * fields that they added before are sent as well. begin fills the response, or asks for the body by
 * setting call->wants_body: then data gets its pieces (NULL: it is collected in call->body), and
 * end fills the response. Either that fails, having done nothing, because it needs another thread
 * (call_need) is called again there; an end that fails with call->queues set, having done nothing,
 * a moment later.
 */
struct handler {
    enum error_code (*begin)(struct call *call, struct error *err);
    enum error_code (*data)(struct call *call, struct str bytes, struct error *err);
    enum error_code (*end)(struct call *call, struct error *err);

    /* On the loop, instead of begin: fills the response from memory and returns true, or does
     * nothing. Must not block. NULL: there is nothing to remember. */
    bool (*recall)(struct call *call);

    /* The client went away in the middle of the body, with call->upload open. NULL: nothing to do.
     * May block. */
    void (*abandon)(struct call *call);
};

/*
 * OK on such a thread, and where the blobs are no other server's, on a worker for a carrier.
 * Otherwise an error, and the step that returns it is taken again on one: so that what can be said
 * without such a thread does not wait for those that need it.
 */
MUST_USE enum error_code call_need(struct call *call, enum http_thread thread, struct error *err);

/* Of a step that has failed: whether it is to be taken again on another thread. */
bool call_moves(struct call *call);

/*
 * Decodes call->path and reads which repository it names. ERROR_INVALID; ERROR_NOT_FOUND for what
 * is no path of ours. Below /v2/ what cannot be a repository is not there (ERROR_NOT_FOUND), and
 * takes no push (ERROR_DENIED), about NAME: clients show the message of these, and repeat
 * neither; docker repeats NAME_INVALID for a minute.
 */
MUST_USE enum error_code call_read_path(struct call *call, struct error *err);

/* Who asks, for what is kept of it. */
struct actor call_actor(const struct call *call);

/* Docker clients tell a registry by this field of a response. */
void call_add_version(struct call *call);

/* Allow: the methods that the path, which is a known one, takes. */
void call_add_allowed(struct call *call);

/* The response without a body. */
void call_respond(struct call *call, int status);

/* The response with a body in the arena, or static. */
void call_respond_body(struct call *call, int status, const char *content_type, struct str body);

/* 200 with what was written to call->written. ERROR_TOO_LARGE if it did not fit. */
MUST_USE enum error_code call_respond_written(struct call *call, const char *content_type,
                                              struct error *err);

/* The same as application/json. */
MUST_USE enum error_code call_respond_json(struct call *call, struct error *err);

/* Docker-Content-Digest; and ETag, for what may be cached by it. */
void call_add_digest(struct call *call, const struct digest *digest);
void call_add_etag(struct call *call, const struct digest *digest);

/* The entity tag of a digest, with its quotes. */
struct str call_format_etag(const struct digest *digest, char text[CALL_ETAG_BYTES]);

/* Whether the client has it already: then the response is 304, and filled. */
bool call_is_not_modified(struct call *call, const struct digest *digest);

/*
 * A query parameter's value in the arena, {NULL, 0} if it is absent. ERROR_INVALID about `topic` if
 * it cannot be read or is there twice: what is taken for absent would do something else than was
 * asked for. Parameters that nobody asks for are ignored.
 */
MUST_USE enum error_code call_parameter(struct call *call, const char *name, enum error_topic topic,
                                        struct str *value_out, struct error *err);

/* The same of one that may be there several times; the next one, if called again: *position begins
 * at 0. */
MUST_USE enum error_code call_next_parameter(struct call *call, const char *name,
                                             enum error_topic topic, size_t *position,
                                             struct str *value_out, struct error *err);

/* A member that is a digest; NULL: null. */
void call_write_digest(struct json_writer *writer, const char *name, const struct digest *digest);
