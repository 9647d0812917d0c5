#pragma once

#include "auth/identity_source.h"

/*
 * Local users: names, teams and password hashes in a file (users_file.h), for those without a
 * provider. Read again as soon as it has changed. A file that cannot be
 * read or understood after a change leaves the users before it in force, and is logged once.
 * Everybody in it is an employee. Verifying a password is meant to take long: how many do so at a
 * time is the caller's to bound. An unknown name takes as long as a wrong password.
 */
struct log;

struct users_config {
    const char *path;
    struct log *log;
};

/* Reads the file. ERROR_INVALID names its line; ERROR_NOT_FOUND says how to make one. */
MUST_USE enum error_code users_source_new(const struct users_config *config,
                                          struct identity_source **source_out, struct error *err);
