#include "metadata/database_settings.h"

#include <stddef.h>

#include "base/attributes.h"
#include "metadata/sql_postgresql_url.h"
#include "settings/value.h"

/* Not repeated in the message: it may hold a password. */
static enum error_code database_check_url(struct str text, struct error *err)
{
    static const char *const prefixes[] = {"sqlite:", "postgresql://", "postgres://"};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (str_starts_with(text, prefixes[i]) && text.length > str_from(prefixes[i]).length) {
            return OK;
        }
    }
    return error_set(err, ERROR_INVALID,
                     "it must be sqlite:PATH or postgresql://[USER@]HOST[:PORT][,HOST…]/DATABASE");
}

static const struct setting rows[] = {
    {
        .key = "database.url",
        .type = SETTING_SECRET,
        .offset = offsetof(struct database_settings, url),
        .example = "postgresql://pierone@db1,db2/pierone?sslmode=verify-full",
        .help =
            "Where repositories, manifests, tags and uploads are kept: sqlite:PATH, or "
            "postgresql://[USER@]HOST[:PORT][,HOST[:PORT]...]/DATABASE[?NAME=VALUE&...] as libpq "
            "takes it (of several hosts the one that takes writes is used). Not set: a SQLite "
            "database in the data folder. The original name DB_SUBNAME is accepted too.",
        .check = database_check_url,
        .aliases = {{.name = "DB_SUBNAME", .prefix = "postgresql:"}},
    },
    {
        .key = "database.user",
        .type = SETTING_TEXT,
        .offset = offsetof(struct database_settings, user),
        .example = "pierone",
        .help = "Who we are to PostgreSQL, unless database.url says it. The original name DB_USER "
                "is accepted too.",
        .aliases = {{.name = "DB_USER"}},
    },
    {
        .key = "database.password",
        .type = SETTING_SECRET,
        .offset = offsetof(struct database_settings, password),
        .example = "correct horse battery staple",
        .help =
            "The password for it, unless database.url has one. The original name DB_PASSWORD is "
            "accepted too.",
        .aliases = {{.name = "DB_PASSWORD"}},
    },
    {
        .key = "database.aws_iam",
        .type = SETTING_BOOL,
        .offset = offsetof(struct database_settings, aws_iam),
        .default_text = "false",
        .help = "Whether PostgreSQL is Amazon RDS or Aurora with IAM authentication: then there is "
                "no password, but a token for each server, signed with the AWS credentials of this "
                "machine. database.url must name the endpoints as AWS does, and demand TLS "
                "(sslmode=verify-full with sslrootcert).",
    },
    {
        .key = "database.aws_region",
        .type = SETTING_TEXT,
        .offset = offsetof(struct database_settings, aws_region),
        .example = "eu-central-1",
        .help = "The region of that database. Not set: storage.s3.region, and so AWS_REGION.",
    },
    {
        .key = "database.connections",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct database_settings, connections),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1000,
        .help = "Connections to PostgreSQL at most. They are made when they are needed.",
    },
    {
        .key = "database.prepared_statements",
        .type = SETTING_BOOL,
        .offset = offsetof(struct database_settings, prepared_statements),
        .default_text = "true",
        .help = "Whether PostgreSQL keeps the statements that we ask again and again. Behind a "
                "PgBouncer in transaction mode it cannot: then this is found out, but false saves "
                "the trouble.",
    },
    {
        .key = "database.timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct database_settings, timeout_ms),
        .default_text = "10s",
        .minimum = 100,
        .maximum = SETTING_HOUR,
        .help = "How long PostgreSQL may take for a statement. Then its connection is given up.",
    },
    {
        .key = "database.retry_time",
        .type = SETTING_DURATION,
        .offset = offsetof(struct database_settings, retry_time_ms),
        .default_text = "2s",
        .minimum = 1,
        .maximum = SETTING_MINUTE,
        .help = "How long a request waits for a connection to PostgreSQL, and tries again what "
                "failed in passing. Then the client gets 503.",
    },
    {
        .key = "database.patience",
        .type = SETTING_DURATION,
        .offset = offsetof(struct database_settings, patience_ms),
        .default_text = "15s",
        .minimum = 0,
        .maximum = 10 * SETTING_MINUTE,
        .help = "How long the push of a manifest waits instead, since docker and podman do not "
                "repeat it: long enough for a standby to be promoted. It waits as long for S3, "
                "if layers are there.",
    },
};

/* A token is for RDS's eyes only, and for one server: see database_passwords.h. */
static void check_aws(const struct database_settings *settings, struct problems *problems)
{
    struct postgresql_servers servers;
    struct error err;

    if (!database_settings_is_postgresql(settings)) {
        problems_add(problems, "database.aws_iam: is for PostgreSQL: set database.url");
        return;
    }
    if (settings->password || postgresql_url_has_password(settings->url)) {
        problems_add(problems, "database.aws_iam: leave the password away, or set it to false");
    }
    if (!postgresql_url_demands_tls(settings->url)) {
        problems_add(problems, "database.aws_iam: RDS takes tokens over TLS only: add "
                               "sslmode=verify-full&sslrootcert=FILE to database.url, with AWS's "
                               "certificates (global-bundle.pem)");
    }
    if (postgresql_servers_read(settings->url, settings->user, &servers, &err)) {
        problems_add(problems, "database.url: with database.aws_iam, %s", err.message);
        return;
    }
    postgresql_servers_release(&servers);
}

/* Ignored, it would give an empty registry to whoever expects what that database holds. */
static void database_check(const void *values, struct problems *problems)
{
    const struct database_settings *const settings = values;

    if (!database_settings_is_postgresql(settings) && (settings->user || settings->password)) {
        problems_add(problems,
                     "database.url: database.user (DB_USER) and database.password (DB_PASSWORD) "
                     "are for PostgreSQL: say which database it is "
                     "(postgresql://HOST/DATABASE), or leave them away");
    }
    if (settings->aws_iam) {
        check_aws(settings, problems);
    }
}

bool database_settings_is_postgresql(const struct database_settings *settings)
{
    return settings->url && str_starts_with(str_from(settings->url), "postgres");
}

const struct settings_table database_settings_table = {
    .rows = rows,
    .count = ARRAY_LEN(rows),
    .check = database_check,
};
