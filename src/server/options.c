#include "server/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdbool.h>

#include "base/nearest.h"
#include "server/settings.h"
#include "settings/schema.h"

/* One option. Those with a key set a setting, the others a command. */
struct option_row {
    char letter; /* 0: none */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *key;
    enum command command;
    const char *help;
};

static const struct option_row rows[] = {
    {'c', "config", "FILE", NULL, COMMAND_SERVE, "read settings from this YAML file"},
    {0, "listen", "HOST:PORT", "listen", COMMAND_SERVE, "listen there"},
    {0, "data", "DIR", "data", COMMAND_SERVE, "keep what is pushed in this folder"},
    {0, "check-config", NULL, NULL, COMMAND_CHECK_CONFIG,
     "say whether the settings are right, change nothing"},
    {0, "print-configuration", "markdown|yaml|man", NULL, COMMAND_PRINT_MARKDOWN,
     "print all settings: a manual, an example, a manual page"},
    {'V', "version", NULL, NULL, COMMAND_VERSION, "print the version"},
    {'h', "help", NULL, NULL, COMMAND_HELP, "print this"},
};

enum {
    ROW_COUNT = ARRAY_LEN(rows),
    FIRST_CODE = 256, /* of getopt's codes for long options: behind all letters */
    LETTERS_BYTES = 1 + 2 * ROW_COUNT + 1,
    HELP_COLUMN = 45,
};

static_assert((int)ROW_COUNT <= (int)OPTIONS_MAX_OVERRIDES, "an override for each option");

static char *add_letter(char *letters, const struct option_row *row)
{
    if (row->letter == 0) {
        return letters;
    }
    *letters++ = row->letter;
    if (row->argument) {
        *letters++ = ':';
    }
    return letters;
}

static void fill_getopt(char *letters, struct option *longs)
{
    *letters++ = ':'; /* tell a missing argument from an unknown option */
    for (int i = 0; i < ROW_COUNT; i++) {
        const int has_argument = rows[i].argument ? required_argument : no_argument;

        longs[i] = (struct option){rows[i].name, has_argument, NULL, FIRST_CODE + i};
        letters = add_letter(letters, &rows[i]);
    }
    *letters = '\0';
}

/* The row of a code that getopt_long found, or NULL. */
static const struct option_row *option_row_of(int code)
{
    if (code >= FIRST_CODE && code < FIRST_CODE + ROW_COUNT) {
        return &rows[code - FIRST_CODE];
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (code != 0 && rows[i].letter == code) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Given twice, the later one counts. */
static void set_override(const struct option_row *row, struct options *options)
{
    struct settings_override *override = options->overrides;

    while (override < options->overrides + options->override_count && override->key != row->key) {
        override++;
    }
    if (override == options->overrides + options->override_count) {
        options->override_count++;
    }
    *override = (struct settings_override){row->key, row->name, optarg};
}

static enum error_code set_document(const char *format, struct options *options, struct error *err)
{
    static const struct {
        const char *name;
        enum command command;
    } formats[] = {
        {"markdown", COMMAND_PRINT_MARKDOWN},
        {"yaml", COMMAND_PRINT_YAML},
        {"man", COMMAND_PRINT_MAN},
    };

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (str_is(str_from(format), formats[i].name)) {
            options->command = formats[i].command;
            return OK;
        }
    }
    return error_set(err, ERROR_INVALID,
                     "--print-configuration takes markdown, yaml or man, not \"%s\"", format);
}

static enum error_code apply_row(const struct option_row *row, struct options *options,
                                 struct error *err)
{
    if (row->key) {
        set_override(row, options);
        return OK;
    }
    if (row->command == COMMAND_PRINT_MARKDOWN) {
        return set_document(optarg, options, err);
    }
    if (row->argument) {
        options->file = optarg;
        return OK;
    }
    options->command = row->command;
    return OK;
}

static enum error_code refuse_unknown(const char *word, struct error *err)
{
    struct str name = str_from(word);
    struct nearest nearest;

    name = str_slice(name, 0, str_index_of(name, '='));
    nearest_init(&nearest, str_from_index(name, 2));
    for (size_t i = 0; i < ROW_COUNT; i++) {
        nearest_offer(&nearest, str_from(rows[i].name));
    }
    if (!nearest.best.bytes) {
        return error_set(err, ERROR_INVALID, "unknown option \"%.*s\"", STR_FORMAT(name));
    }
    return error_set(err, ERROR_INVALID, "unknown option \"%.*s\"; did you mean \"--%.*s\"?",
                     STR_FORMAT(name), STR_FORMAT(nearest.best));
}

/* What getopt_long refused: the code of a known option is in optopt. */
static enum error_code options_refuse(const char *word, int code, struct error *err)
{
    const struct option_row *const row = option_row_of(optopt);

    if (row && code == ':') {
        return error_set(err, ERROR_INVALID, "--%s needs its %s", row->name, row->argument);
    }
    if (row) {
        return error_set(err, ERROR_INVALID, "--%s takes no value", row->name);
    }
    if (optopt != 0) {
        return error_set(err, ERROR_INVALID, "unknown option \"-%c\"", optopt);
    }
    return refuse_unknown(word, err);
}

enum error_code options_parse(int argc, char *const argv[], struct options *options_out,
                              struct error *err)
{
    struct options options = {0};
    struct option longs[ROW_COUNT + 1] = {0};
    char letters[LETTERS_BYTES];
    int found;

    fill_getopt(letters, longs);
    opterr = 0; /* the messages are ours */
    optind = 0; /* from the start, also when called again */
    while ((found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const struct option_row *const row = option_row_of(found);
        const enum error_code code =
            row ? apply_row(row, &options, err) : options_refuse(argv[optind - 1], found, err);

        if (code) {
            return code;
        }
    }
    if (optind < argc) {
        return error_set(err, ERROR_INVALID, "unexpected argument \"%s\"", argv[optind]);
    }
    *options_out = options;
    return OK;
}

static void append_row(struct strbuf *buf, const struct option_row *row)
{
    const size_t begin = buf->length;

    if (row->letter != 0) {
        strbuf_append_format(buf, "  -%c, --%s", row->letter, row->name);
    } else {
        strbuf_append_format(buf, "      --%s", row->name);
    }
    if (row->argument) {
        strbuf_append_format(buf, " %s", row->argument);
    }
    while (buf->length < begin + HELP_COLUMN) {
        strbuf_append_byte(buf, ' ');
    }
    strbuf_append_format(buf, "  %s\n", row->help);
}

void options_append_help(struct strbuf *buf)
{
    strbuf_append_text(buf, "usage: pieroned [OPTION]...\n"
                            "       pieroned user add|passwd|team|list ...\n"
                            "       pieroned sweep ...\n"
                            "       pieroned migrate ...\n"
                            "A registry for container images whose tags never move.\n"
                            "\n");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        append_row(buf, &rows[i]);
    }
    strbuf_append_text(buf, "\n"
                            "Settings come from flags, else from the environment, else from the "
                            "file:\n"
                            "\n");
    for (size_t i = 0; i < settings_schema_count(&settings_schema); i++) {
        const struct setting setting = settings_schema_at(&settings_schema, i);
        const char *const value = setting.default_text;

        strbuf_append_format(buf, "  %-24s %s\n", setting.key, value ? value : "not set");
    }
    strbuf_append_text(buf, "\n"
                            "`pieroned --print-configuration markdown` tells what they mean. The\n"
                            "environment variable of tls.key is PIERONE_TLS_KEY, and so on.\n"
                            "Exit status: 0 done, 1 failed, 2 wrong usage.\n");
}
