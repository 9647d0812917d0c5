#pragma once

#include "base/json_value.h"
#include "cli/cli.h"

/*
 * Asks the registry. All find address and login themselves. Errors: ERROR_NOT_FOUND (404),
 * ERROR_UNAUTHENTICATED (401; says to log in), ERROR_DENIED (403), ERROR_CONFLICT (409, 412),
 * ERROR_INVALID (other refusals), ERROR_UNAVAILABLE; the message is the server's, never with a
 * token.
 */

/* JSON is freed by json_value_free. */
MUST_USE enum error_code api_get(struct cli *cli, const char *path, struct json_value **json_out,
                                 struct error *err);
MUST_USE enum error_code api_post(struct cli *cli, const char *path, struct str body,
                                  struct json_value **json_out, struct error *err);

/* Calls visit for each element of a list, page by page. */
struct api_visitor {
    void *context;
    enum error_code (*visit)(void *context, const struct json_value *element, struct error *err);
};
MUST_USE enum error_code api_list(struct cli *cli, const char *path,
                                  const struct api_visitor *visitor, struct error *err);

/* The newest `limit` tags of an artifact (parts: team, artifact), oldest first. */
MUST_USE enum error_code api_list_newest(struct cli *cli, const char *const *parts, uint64_t limit,
                                         const struct api_visitor *visitor, struct error *err);

/* A member that is a text, in the arena; else absent. */
struct cell api_cell(struct cli *cli, const struct json_value *object, const char *name);

/* A manifest: its bytes, and its Content-Type in the arena. */
MUST_USE enum error_code api_get_manifest(struct cli *cli, const char *path, struct strbuf *buf,
                                          struct error *err);

/* Appends part of a blob; where the registry refers to another place it is read there, without the
 * login. *length of 0 at its end. */
struct api_part {
    const char *path;
    uint64_t offset_bytes;
    size_t length;
};
MUST_USE enum error_code api_get_part(struct cli *cli, const struct api_part *part,
                                      struct strbuf *buf, struct error *err);

/* Builds a path: each %s of the format is replaced by the next part, percent-encoded, slashes too.
 * In the arena. At most 4 parts. */
const char *api_path(struct cli *cli, const char *format, const char *const *parts);
