#pragma once

#include "api_world.h"
#include "base/digest.h"

#define UPLOADS "/v2/team/app/blobs/uploads/"

/* A registry, and an upload in it. */
struct upload_world {
    struct api_world world;
    struct reply reply;
    char location[128]; /* of an upload that has begun */
};

/* For cmocka. */
int upload_world_set_up(void **state);
int upload_world_tear_down(void **state);

/* `METHOD TARGET`, with a body unless it is NULL. */
struct reply *ask(struct upload_world *fixture, const char *line, const char *fields,
                  const char *body);

/* The same at the location of the upload, with what is to stand behind it. */
struct reply *ask_upload(struct upload_world *fixture, const char *method, const char *query,
                         const char *fields, const char *body);

void begin_upload(struct upload_world *fixture, const char *query);

/* `?digest=…` of a content. */
const char *digest_query(enum digest_algorithm algorithm, const char *content);
