#include "server/settings.h"

#include <inttypes.h>

#include "api/api.h"
#include "http/http_settings.h"
#include "server/listen_address.h"
#include "settings/load.h"
#include "settings/value.h"

/* Each text has its own bounds by where it comes from; this is for all of them. */
enum { TEXTS_MAX_BYTES = 4 * SETTINGS_FILE_MAX_BYTES };

static const char markdown_head[] =
    "# Configuration\n"
    "\n"
    "<!-- Written by `pieroned --print-configuration markdown`: change "
    "the row of a setting, in the *_settings.c of its owner. -->\n"
    "\n"
    "`pieroned` runs without any configuration: then it listens on loopback only. Values come\n"
    "from, each over the one before:\n"
    "\n"
    "1. the defaults below;\n"
    "2. a YAML file, given by `-c FILE` ([example](pieroned.example.yaml)), where the parts of a\n"
    "   key nest: `tls.key` is `key:` indented below `tls:`;\n"
    "3. environment variables: `PIERONE_` and the key in upper case, with `_` for `.`; an empty\n"
    "   variable counts as not set;\n"
    "4. the flags `--listen` and `--data`.\n"
    "\n"
    "An unknown key or a wrong value stops the start, with all that is wrong and where.\n"
    "`pieroned -c FILE --check-config` tells without starting. On SIGHUP the server reads "
    "`log.level`\n"
    "and the certificate again; the rest takes a restart.\n"
    "\n"
    "Sizes are bytes, or a number with `K`, `M`, `G` or `T` (also `KiB` and so on, powers of "
    "1024).\n"
    "Durations take their unit: `ms`, `s`, `m`, `h` or `d`.\n";

static const char yaml_head[] =
    "## Settings of pieroned, all at their defaults: `pieroned -c THIS_FILE`.\n"
    "## Remove the # before a setting, and before the name of its section, to change it.\n"
    "## docs/configuration.md tells more. Written by `pieroned --print-configuration yaml`.\n";

static const char man_head[] =
    "pieroned.yaml(5)\n"
    "\n"
    "; Written by `pieroned --print-configuration man`: change the row of a setting, in the\n"
    "; *_settings.c of its owner.\n"
    "\n"
    "# NAME\n"
    "\n"
    "pieroned.yaml - settings of pieroned, the Pier One container registry\n"
    "\n"
    "# SYNOPSIS\n"
    "\n"
    "*pieroned* *-c* _FILE_\n"
    "\n"
    "# DESCRIPTION\n"
    "\n"
    "A file in YAML, where the parts of a key nest: *tls.key* is *key:* indented below *tls:*.\n"
    "There is no place where it is looked for: *-c* names it. *pieroned --print-configuration "
    "yaml*\n"
    "prints one that sets nothing and shows all.\n"
    "\n"
    "Values come from the defaults below, else from the file, else from environment variables (an\n"
    "empty one counts as not set), else from the flags *--listen* and *--data*; the last that "
    "says\n"
    "something wins. An unknown key or a wrong value stops the start, with all that is wrong and\n"
    "where; *--check-config* tells without starting. On SIGHUP the server reads *log.level* and "
    "the\n"
    "certificate again; the rest takes a restart.\n"
    "\n"
    "Sizes are bytes, or a number with K, M, G or T (also KiB and so on, powers of 1024). "
    "Durations\n"
    "take their unit: ms, s, m, h or d.\n"
    "\n"
    "# SETTINGS\n";

static const char man_foot[] = "\n"
                               "# EXAMPLE\n"
                               "\n"
                               "```\n"
                               "listen: 0.0.0.0:443\n"
                               "data: /var/lib/pierone\n"
                               "tls:\n"
                               "  certificate: /etc/pierone/tls.pem\n"
                               "  key: /etc/pierone/tls.key\n"
                               "auth:\n"
                               "  users_file: /var/lib/pierone/users\n"
                               "```\n"
                               "\n"
                               "# SEE ALSO\n"
                               "\n"
                               "*pieroned*(8), *pierone*(1)\n";

static const char *const log_format_words[] = {
    [LOG_FORMAT_AUTO] = "auto",
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    NULL,
};

static const char *const log_level_words[] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
    NULL,
};

static const struct setting log_rows[] = {
    {
        .key = "log.format",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, log.format),
        .default_text = "auto",
        .words = log_format_words,
        .help = "How log lines look. auto: text on a terminal, JSON otherwise.",
    },
    {
        .key = "log.level",
        .type = SETTING_WORD,
        .offset = offsetof(struct settings, log.level),
        .default_text = "info",
        .words = log_level_words,
        .help = "The most detailed lines to log. Read again on SIGHUP.",
    },
};

static enum error_code check_listen(struct str text, struct error *err)
{
    struct listen_address unused;
    struct error reason;

    return listen_address_parse(text, &unused, &reason)
               ? setting_value_refuse(text, err, reason.message)
               : OK;
}

static enum error_code check_proxies(struct str text, struct error *err)
{
    struct proxies unused;

    return proxies_parse(text, &unused, err);
}

/* Words that say yes or no elsewhere: taken for a reason, "no" would refuse all pushes. */
static enum error_code check_read_only(struct str text, struct error *err)
{
    static const char *const words[] = {"yes", "no", "on", "off", "1", "0", "true", "false"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_is_ignoring_case(text, words[i]) && !str_is(text, "true") &&
            !str_is(text, "false")) {
            return setting_value_refuse(text, err, "is no reason: write one, or true or false");
        }
    }
    return OK;
}

static const struct setting general_rows[] = {
    {
        .key = "listen",
        .type = SETTING_ADDRESS,
        .offset = offsetof(struct settings, listen),
        .default_text = "127.0.0.1:8080",
        .help = "Address and port to listen on: HOST:PORT, or [IPV6]:PORT. Port 0 lets the system "
                "choose one, which the log then names.",
        .aliases = {{.name = "HTTP_PORT", .prefix = "0.0.0.0:"}},
        .check = check_listen,
    },
    {
        .key = "data",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, data),
        .default_text = "data",
        .help = "Folder for everything that was pushed. Created if missing; its parent must exist. "
                "Relative to the working folder.",
        .aliases = {{.name = "STORAGE_DIRECTORY"}},
    },
    {
        .key = "public_url",
        .type = SETTING_URL,
        .offset = offsetof(struct settings, public_url),
        .example = "https://registry.example.org",
        .help = "How clients reach this registry, which the place to get tokens at is made from; "
                "not set: as the request's Host has it. "
                "http[s]://HOST[:PORT].",
        .aliases = {{.name = "API_REPOSITORY", .prefix = "https://"}},
    },
    {
        .key = "trusted_proxies",
        .type = SETTING_ADDRESSES,
        .offset = offsetof(struct settings, trusted_proxies),
        .example = "10.0.0.0/8",
        .help =
            "Addresses and networks of the proxies in front, separated by spaces. What they say "
            "in X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host counts; what others say "
            "there does not.",
        .check = check_proxies,
    },
    {
        .key = "ca_file",
        .type = SETTING_PATH,
        .offset = offsetof(struct settings, ca_file),
        .example = "/etc/pierone/ca.pem",
        .help = "PEM file with the authorities to trust when other servers are asked, instead of "
                "the system's.",
    },
    {
        .key = "allow_open",
        .type = SETTING_BOOL,
        .offset = offsetof(struct settings, allow_open),
        .default_text = "false",
        .help = "Without an identity provider everybody who reaches the server may push, so it "
                "listens on loopback only. Set to true if other machines shall reach it all the "
                "same.",
    },
    {
        .key = "read_only",
        .type = SETTING_TEXT,
        .offset = offsetof(struct settings, read_only),
        .default_text = "false",
        .help =
            "Why nothing can be pushed, in the words that clients show: pushes are answered "
            "403 DENIED with it (\"moving until 18:00\"), pulls and logins go on. true: without a "
            "reason; false: pushes are taken.",
        .check = check_read_only,
    },
};

static const struct settings_table general_table = {general_rows, ARRAY_LEN(general_rows), NULL};
static const struct settings_table log_table = {log_rows, ARRAY_LEN(log_rows), NULL};

/* In the order of the manual. */
static const struct settings_part parts[] = {
    {&general_table, 0},
    {&tls_settings_table, offsetof(struct settings, tls)},
    {&auth_settings_table, offsetof(struct settings, auth)},
    {&login_settings_table, offsetof(struct settings, login)},
    {&team_settings_table, offsetof(struct settings, teams)},
    {&database_settings_table, offsetof(struct settings, database)},
    {&s3_settings_table, offsetof(struct settings, storage.s3)},
    {&log_table, 0},
    {&http_settings_table, offsetof(struct settings, limits)},
    {&registry_settings_table, offsetof(struct settings, registry)},
};

const struct settings_schema settings_schema = {
    .parts = parts,
    .count = ARRAY_LEN(parts),
    .markdown_head = markdown_head,
    .yaml_head = yaml_head,
    .man_head = man_head,
    .man_foot = man_foot,
};

struct settings_target settings_target(struct settings *settings)
{
    return (struct settings_target){&settings_schema, settings, &settings->texts};
}

void settings_init(struct settings *settings)
{
    struct settings_target target;

    *settings = (struct settings){0};
    arena_init(&settings->texts, TEXTS_MAX_BYTES);
    settings->texts.is_secret = true;
    target = settings_target(settings);
    settings_set_defaults(&target);
}

static void settings_check_open(const struct settings *settings, struct problems *problems)
{
    struct listen_address address;
    struct error err;

    if (listen_address_parse(str_from(settings->listen), &address, &err)) {
        problems_add(problems, "listen: %s", err.message);
        return;
    }
    if (!settings->allow_open && !auth_settings_has_provider(&settings->auth) &&
        !listen_address_is_loopback(&address)) {
        problems_add(problems,
                     "listen: other machines can reach \"%s\", and without an identity provider "
                     "everybody may push: set one up (auth.users_file needs nobody else), listen "
                     "on 127.0.0.1, or set allow_open to true",
                     settings->listen);
    }
}

/* A request that carries a manifest holds it once as it arrives and once as it is worked on. */
static void settings_check_memory(const struct settings *settings, struct problems *problems)
{
    const uint64_t needed_bytes = 2 * (uint64_t)settings->registry.manifest_max_bytes;

    if (settings->limits.arena_bytes < needed_bytes) {
        problems_add(problems,
                     "limits.request_memory: must be at least twice limits.manifest_size: %" PRIu64
                     " bytes",
                     needed_bytes);
    }
}

void settings_check(const struct settings *settings, struct problems *problems)
{
    settings_check_open(settings, problems);
    if (!auth_settings_has_provider(&settings->auth)) {
        team_settings_check_open(&settings->teams, problems);
    }
    settings_check_memory(settings, problems);
    settings_schema_check(&settings_schema, settings, problems);
}

void settings_release(struct settings *settings)
{
    arena_release(&settings->texts);
}

enum error_code settings_load(const struct settings_sources *sources, struct settings *settings_out,
                              struct problems *problems)
{
    struct settings settings;
    struct settings_target target;

    settings_init(&settings);
    target = settings_target(&settings);
    settings_read(sources, &target, problems);
    if (problems_is_empty(problems)) {
        settings_check(&settings, problems);
    }
    if (!problems_is_empty(problems)) {
        settings_release(&settings);
        return ERROR_INVALID;
    }
    *settings_out = settings;
    return OK;
}

const char *settings_read_only(const struct settings *settings)
{
    const struct str text = str_from(settings->read_only);

    if (text.length == 0 || str_is(text, "false")) {
        return NULL;
    }
    return str_is(text, "true") ? "the registry is read-only" : settings->read_only;
}

int64_t settings_push_patience_ms(const struct settings *settings)
{
    const bool needs_others =
        database_settings_is_postgresql(&settings->database) || settings->storage.s3.bucket;

    return needs_others ? settings->database.patience_ms : 0;
}

const char *settings_warning(const struct settings *settings)
{
    struct listen_address address;

    if (!auth_settings_has_provider(&settings->auth) || settings->tls.certificate ||
        settings->public_url || listen_address_parse(str_from(settings->listen), &address, NULL) ||
        listen_address_is_loopback(&address)) {
        return NULL;
    }
    return "clients may send their logins without TLS: set tls.certificate, or, where a proxy "
           "speaks TLS, public_url to its address (https://...)";
}

void settings_warn(const struct settings *settings, struct log *log)
{
    const char *const warning = settings_warning(settings);

    if (!auth_settings_has_provider(&settings->auth)) {
        log_message(log, LOG_WARNING, "open",
                    "there is no identity provider: everybody who reaches this server may push");
    }
    if (warning) {
        log_message(log, LOG_WARNING, "without_tls", "%s", warning);
    }
    if (settings_read_only(settings)) {
        log_message(log, LOG_WARNING, "read_only", "pushes are refused: %s",
                    settings_read_only(settings));
    }
}
