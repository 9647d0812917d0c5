#pragma once

#include "client.h"
#include "options.h"
#include "recorder.h"

/* One of the threads that make load. */
struct crew_member {
    const struct options *options;
    unsigned number; /* from 0 */
    struct client client;
    struct recorder recorder;
    int64_t begin_us; /* when all began */
    void *own;        /* what prepare made */
};

/* What the threads do. prepare may be NULL; nobody works before all have prepared. */
struct crew_work {
    void (*prepare)(struct crew_member *member);
    void (*work)(struct crew_member *member);
};

/* Runs so many threads to their end and prints what they saw, together. */
void crew_run(const struct options *options, unsigned count, const struct crew_work *work);
