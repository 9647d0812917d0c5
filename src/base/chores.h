#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"

/*
 * What has to be done again and again, on a thread of its own: whatever else the process is asked,
 * and however long one chore takes, each comes when its time has come.
 */
struct chores;

struct chore {
    /* Does a bounded piece of it. Returns in how many milliseconds it is due again. */
    int64_t (*run)(void *context);
    void *context;
    int64_t after_ms; /* the first time: so long after the start */
};

enum { CHORES_MAX = 8 };

/* Copies the list. The clock's hands move as the machine's do. */
MUST_USE enum error_code chores_start(const struct chore *list, size_t count,
                                      const struct clock *clock, struct chores **chores_out,
                                      struct error *err);

/* Waits for the chore that runs, if one does, and begins none. NULL is accepted. */
void chores_end(struct chores *chores);
