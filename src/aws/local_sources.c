#include <stdio.h>

#include "aws/credentials_file.h"
#include "aws/source.h"

enum {
    CREDENTIALS_FILE_MAX_BYTES = 256 * 1024,
};

static enum error_code read_profile(const char *path, const char *profile,
                                    struct aws_key_copy *copy_out, struct error *err);

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
    (void)snprintf(found_out->place, sizeof(found_out->place),
                   "the environment (AWS_ACCESS_KEY_ID)");
    return OK;
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
    (void)snprintf(found_out->place, sizeof(found_out->place),
                   "the credentials file %.120s, profile %.60s", path, profile);
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
