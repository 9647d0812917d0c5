#include "server/database_login.h"

#include <stdlib.h>

enum { ANSWER_MAX_BYTES = 1024 * 1024 /* unless a request says otherwise */ };

/* Nobody changes the environment, so that threads may read it. */
static const char *login_variable(const void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static const char *region_of(const struct settings *settings)
{
    return settings->database.aws_region ? settings->database.aws_region
                                         : settings->storage.s3.region;
}

static enum error_code open_credentials(const struct settings *settings,
                                        struct database_login *login, struct error *err)
{
    const struct http_client_config http = {
        .ca_file = settings->ca_file,
        .user_agent = "pieroned/" PIERONE_VERSION,
        .timeout_ms = settings->storage.s3.timeout_ms,
        .answer_max_bytes = ANSWER_MAX_BYTES,
    };
    struct aws_credentials_config credentials = {
        .variable = login_variable, .region = region_of(settings), .clock = &clock_system};
    const enum error_code code = http_client_new(&http, &login->http, err);

    credentials.client = login->http;
    return code ? code : aws_credentials_new(&credentials, &login->credentials, err);
}

enum error_code database_login_open(struct settings *settings, struct database_login *login_out,
                                    struct error *err)
{
    struct database_tokens_config config = {.region = region_of(settings), .clock = &clock_system};
    enum error_code code = OK;

    *login_out = (struct database_login){0};
    if (!settings->database.aws_iam) {
        return OK;
    }
    code = open_credentials(settings, login_out, err);
    if (code) {
        database_login_release(login_out);
        return code;
    }
    config.credentials = login_out->credentials;
    login_out->tokens = database_tokens_new(&config);
    login_out->passwords = database_tokens_passwords(login_out->tokens);
    settings->database.passwords = &login_out->passwords;
    return OK;
}

enum error_code database_login_and_open(struct settings *settings, const char *default_path,
                                        metadata_opening *open, struct database_login *login_out,
                                        struct metadata **metadata_out, struct error *err)
{
    const enum error_code code = database_login_open(settings, login_out, err);

    return code ? code : open(&settings->database, default_path, metadata_out, err);
}

void database_login_release(struct database_login *login)
{
    database_tokens_free(login->tokens);
    aws_credentials_free(login->credentials);
    http_client_free(login->http);
    *login = (struct database_login){0};
}
