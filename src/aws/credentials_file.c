#include "aws/credentials_file.h"

#include <stdbool.h>
#include <stddef.h>

/* Of the profile, as far as they were found; borrowed from the text. */
struct profile {
    const char *name;
    bool is_found;
    bool is_current; /* what is read now belongs to it */
    struct str access_key_id;
    struct str secret_access_key;
    struct str session_token;
};

static enum error_code read_line(struct profile *profile, struct str line, struct error *err);
static enum error_code read_section(struct profile *profile, struct str line, struct error *err);
static struct str without_comment(struct str line);
static void keep(struct profile *profile, struct str name, struct str value);

enum error_code aws_credentials_file_parse(struct str text, const char *profile,
                                           struct aws_key_copy *copy_out, struct error *err)
{
    struct profile found = {.name = profile};
    struct str line;
    size_t number = 0;

    while (str_cut(&text, '\n', &line)) {
        struct error reason = {0};

        number++;
        if (read_line(&found, line, &reason)) {
            return error_set(err, ERROR_INVALID, "line %zu %s", number, reason.message);
        }
    }
    if (!found.is_found) {
        return error_set(err, ERROR_NOT_FOUND, "there is no profile %s", profile);
    }
    if (found.access_key_id.length == 0 && found.secret_access_key.length == 0) {
        return error_set(err, ERROR_NOT_FOUND, "the profile %s has no aws_access_key_id", profile);
    }
    return aws_key_copy_make(found.access_key_id, found.secret_access_key, found.session_token,
                             copy_out, err);
}

/* Lines that are indented continue a setting that is none of ours (`s3 =`, then a list of them). */
static enum error_code read_line(struct profile *profile, struct str line, struct error *err)
{
    const bool is_indented = str_starts_with(line, " ") || str_starts_with(line, "\t");
    struct str rest;
    struct str name;

    line = str_trim(str_slice(line, 0, line.length - (str_ends_with(line, "\r") ? 1 : 0)));
    if (line.length == 0 || line.bytes[0] == '#' || line.bytes[0] == ';') {
        return OK;
    }
    if (line.bytes[0] == '[') {
        return read_section(profile, without_comment(line), err);
    }
    if (!profile->is_current || is_indented) {
        return OK;
    }
    rest = without_comment(line);
    if (!str_cut(&rest, '=', &name) || !rest.bytes) {
        return error_set(err, ERROR_INVALID, "is not NAME = VALUE");
    }
    keep(profile, str_trim(name), str_trim(rest));
    return OK;
}

static enum error_code read_section(struct profile *profile, struct str line, struct error *err)
{
    if (!str_ends_with(line, "]")) {
        return error_set(err, ERROR_INVALID, "is not [PROFILE]");
    }
    profile->is_current = str_is(str_trim(str_slice(line, 1, line.length - 1)), profile->name);
    profile->is_found = profile->is_found || profile->is_current;
    return OK;
}

/* A comment begins behind white space: keys may have a # in them, but no space. */
static struct str without_comment(struct str line)
{
    for (size_t i = 1; i < line.length; i++) {
        const bool is_behind_space = line.bytes[i - 1] == ' ' || line.bytes[i - 1] == '\t';

        if (is_behind_space && (line.bytes[i] == '#' || line.bytes[i] == ';')) {
            return str_trim(str_slice(line, 0, i));
        }
    }
    return line;
}

static void keep(struct profile *profile, struct str name, struct str value)
{
    if (str_is_ignoring_case(name, "aws_access_key_id")) {
        profile->access_key_id = value;
    } else if (str_is_ignoring_case(name, "aws_secret_access_key")) {
        profile->secret_access_key = value;
    } else if (str_is_ignoring_case(name, "aws_session_token")) {
        profile->session_token = value;
    }
}
