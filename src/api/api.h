#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/exchange.h"
#include "registry/registry.h"

/*
 * The registry over HTTP: the OCI Distribution API and what operators ask for (/health, /ready).
 * Gives the application that an http_server runs.
 */
struct api;

struct api_config {
    struct registry *registry; /* not owned */
    struct log *log;           /* one line a request */
    size_t manifest_max_bytes;
    bool (*is_ready)(void *context); /* what /ready answers; NULL: always */
    void *is_ready_context;
};

struct api *api_new(const struct api_config *config);

/* NULL is accepted. */
void api_free(struct api *api);

/* Valid as long as api. */
struct http_application api_application(struct api *api);
