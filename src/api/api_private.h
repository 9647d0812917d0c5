#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "api/api.h"
#include "api/body_memory.h"
#include "base/workers.h"

/* For the sources of this folder only. */
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
