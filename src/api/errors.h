#pragma once

#include "api/call.h"
#include "http/request.h"

/* How a failure is told over HTTP (distribution-spec "Error Codes"). */
struct error_response {
    int status;
    const char *code;   /* in the body */
    const char *reason; /* phrase of the status line; NULL: the usual one */
};

/* From the one table that says so. */
struct error_response errors_find(enum error_code code, enum error_topic topic);

/* Answers the call with it; header fields that are there already stay. */
void errors_respond(struct call *call, enum error_code code, const struct error *err);

/* Answers what is no request of ours: unknown paths, methods, refused heads. */
void errors_respond_status(struct call *call, int status, const char *code, const char *message);

/* The code for a status that the HTTP layer chose. */
const char *errors_code_of_status(int status);
