#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "aws/source.h"

enum {
    CREDENTIALS_FILE_MAX_BYTES = 256 * 1024,
};

/* Of the profile, as far as they were found; borrowed from the text. */
struct profile {
    const char *name;
    bool is_found;
    bool is_current; /* what is read now belongs to it */
    struct str access_key_id;
    struct str secret_access_key;
    struct str session_token;
};

enum error_code aws_source_environment(const struct aws_credentials_config *config,
                                       struct aws_found *found_out, struct error *err)
{
    const char *id = aws_source_variable(config, "AWS_ACCESS_KEY_ID");
    const char *secret = aws_source_variable(config, "AWS_SECRET_ACCESS_KEY");
    const char *token = aws_source_variable(config, "AWS_SESSION_TOKEN");
    struct error reason = {0};

    if (!id && !secret) {
        return error_set(err, ERROR_NOT_FOUND, "AWS_ACCESS_KEY_ID is not set");
    }
    if (aws_key_copy_make(str_from(id), str_from(secret), str_from(token), &found_out->copy,
                          &reason)) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY cannot be used: %s",
                         reason.message);
    }
    (void)snprintf(found_out->origin, sizeof(found_out->origin),
                   "the environment (AWS_ACCESS_KEY_ID)");
    return OK;
}

static enum error_code read_profile(const char *path, const char *profile,
                                    struct aws_key_copy *copy_out, struct error *err)
{
    struct strbuf text;
    enum error_code code = OK;

    strbuf_init_secret(&text, CREDENTIALS_FILE_MAX_BYTES);
    code = aws_source_read_file(path, &text, err);
    code = code ? code : aws_credentials_file_parse(strbuf_str(&text), profile, copy_out, err);
    strbuf_release(&text);
    return code;
}

/*
 * What nobody asked for need not be there: without a variable that names file or profile, a home
 * folder that is out of reach (a service manager may see to that) is as good as none.
 */
enum error_code aws_source_file(const struct aws_credentials_config *config,
                                struct aws_found *found_out, struct error *err)
{
    const char *path = aws_source_variable(config, "AWS_SHARED_CREDENTIALS_FILE");
    const char *profile = aws_source_variable(config, "AWS_PROFILE");
    const char *home = aws_source_variable(config, "HOME");
    const bool is_wanted = path || profile;
    char own_path[AWS_PATH_MAX_BYTES];
    struct error reason = {0};
    enum error_code code = OK;

    if (!path) {
        if (!home) {
            return error_set(err, is_wanted ? ERROR_UNAVAILABLE : ERROR_NOT_FOUND,
                             "AWS_SHARED_CREDENTIALS_FILE is not set, nor is HOME");
        }
        (void)snprintf(own_path, sizeof(own_path), "%s/.aws/credentials", home);
        path = own_path;
    }
    profile = profile ? profile : "default";
    code = read_profile(path, profile, &found_out->copy, &reason);
    if (code) {
        const bool is_missing = code == ERROR_NOT_FOUND || code == ERROR_DENIED;

        return error_set(err, is_missing && !is_wanted ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE,
                         "%.200s: %s", path, reason.message);
    }
    (void)snprintf(found_out->origin, sizeof(found_out->origin),
                   "the credentials file %.120s, profile %.60s", path, profile);
    return OK;
}

static enum error_code profile_read_section(struct profile *profile, struct str line,
                                            struct error *err)
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

static void profile_keep(struct profile *profile, struct str name, struct str value)
{
    if (str_is_ignoring_case(name, "aws_access_key_id")) {
        profile->access_key_id = value;
    } else if (str_is_ignoring_case(name, "aws_secret_access_key")) {
        profile->secret_access_key = value;
    } else if (str_is_ignoring_case(name, "aws_session_token")) {
        profile->session_token = value;
    }
}

/* Lines that are indented continue a setting that is none of ours (`s3 =`, then a list of them). */
static enum error_code profile_read_line(struct profile *profile, struct str line,
                                         struct error *err)
{
    const bool is_indented = str_starts_with(line, " ") || str_starts_with(line, "\t");
    struct str rest;
    struct str name;

    line = str_trim(str_slice(line, 0, line.length - (str_ends_with(line, "\r") ? 1 : 0)));
    if (line.length == 0 || line.bytes[0] == '#' || line.bytes[0] == ';') {
        return OK;
    }
    if (line.bytes[0] == '[') {
        return profile_read_section(profile, without_comment(line), err);
    }
    if (!profile->is_current || is_indented) {
        return OK;
    }
    rest = without_comment(line);
    if (!str_cut(&rest, '=', &name) || !rest.bytes) {
        return error_set(err, ERROR_INVALID, "is not NAME = VALUE");
    }
    profile_keep(profile, str_trim(name), str_trim(rest));
    return OK;
}

enum error_code aws_credentials_file_parse(struct str text, const char *profile,
                                           struct aws_key_copy *copy_out, struct error *err)
{
    struct profile found = {.name = profile};
    struct str line;
    size_t number = 0;

    while (str_cut(&text, '\n', &line)) {
        struct error reason = {0};

        number++;
        if (profile_read_line(&found, line, &reason)) {
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
