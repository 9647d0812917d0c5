#pragma once

/* The variables of a process: passed, so that tests need not set their own. */
struct environment {
    char *const *entries; /* as `environ`: `NAME=value`, NULL behind the last */
};

/* The value; NULL if it is not set or empty. Borrowed. */
const char *environment_get(const struct environment *environment, const char *name);
