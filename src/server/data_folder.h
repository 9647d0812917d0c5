#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/attributes.h"
#include "base/error.h"

/* The folder that holds everything, and what is where in it. */
struct data_folder {
    bool is_open;
    int fd; /* locks the folder */
    char path[PATH_MAX];
    char blobs[PATH_MAX];
    char metadata[PATH_MAX];
    char secret[PATH_MAX];
};

/* What would be where in it. Opens and creates nothing: is_open stays false. */
MUST_USE enum error_code data_folder_find(const char *path, struct data_folder *folder_out,
                                          struct error *err);

/*
 * Creates the folder if it is missing (mode 0700; its parent must be there) and locks it for this
 * process: two servers in one folder would not know of each other's uploads. ERROR_CONFLICT:
 * another process has it. ERROR_INVALID: it cannot be used, with what to do.
 */
MUST_USE enum error_code data_folder_open(const char *path, struct data_folder *folder_out,
                                          struct error *err);

/* The same beside others who share it: servers that take no pushes, and who moves what is there. */
MUST_USE enum error_code data_folder_share(const char *path, struct data_folder *folder_out,
                                           struct error *err);

/* Gives the lock back. */
void data_folder_release(struct data_folder *folder);

/*
 * Whether data_folder_open would succeed, but for the lock. Changes nothing. Writes the absolute
 * path to path_out. ERROR_INVALID says why not.
 */
MUST_USE enum error_code data_folder_check(const char *path, char path_out[PATH_MAX],
                                           struct error *err);
