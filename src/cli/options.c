#include "cli/options.h"

#include <assert.h>
#include <string.h>

#include "cli/command.h"

static const struct option_row rows[] = {
    {'h', false, "help", NULL, "print this"},
    {'V', false, "version", NULL, "print the version"},
    {'U', true, "url", "URL", "the registry (default: PIERONE_URL, else the configuration)"},
    {'o', false, "output", "text|json|tsv", "how to print results (default: text)"},
    {'l', false, "limit", "N", "show at most that many"},
    {'D', true, "device", NULL, "log in with the browser of another machine"},
    {'u', false, "username", "NAME", "log in with a password of the registry's own"},
    {'P', true, "password-stdin", NULL, "read the password from standard input"},
    {'N', true, "no-helper", NULL, "give Docker the token itself, not the credential helper"},
    {'F', true, "dockercfg", NULL, "write ~/.dockercfg too, for Docker before 1.7"},
};

const char global_options[] = "hVUo";

/* A command line that is being read. */
struct parsing {
    int argc;
    char *const *argv;
    int next;
    struct options options;
    char used[ARRAY_LEN(rows) + 1]; /* letters, for the check against the command */
};

const struct option_row *options_all(size_t *count_out)
{
    *count_out = ARRAY_LEN(rows);
    return rows;
}

const struct option_row *options_find(char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].letter == letter) {
            return &rows[i];
        }
    }
    return NULL;
}

/* The first word that is no option is the command. */
static enum error_code add_argument(struct parsing *parsing, const char *word, struct error *err)
{
    struct options *const options = &parsing->options;

    if (!options->command) {
        return command_find(word, &options->command, err);
    }
    if (options->argument_count == ARGUMENTS_MAX) {
        return error_set(err, ERROR_INVALID, "there are more than %d arguments", ARGUMENTS_MAX);
    }
    options->arguments[options->argument_count++] = word;
    return OK;
}

static enum error_code find_long(struct str name, const struct option_row **row_out,
                                 struct error *err)
{
    const struct option_row *found = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_is(name, rows[i].name)) {
            *row_out = &rows[i];
            return OK;
        }
        if (name.length > 0 && strncmp(rows[i].name, name.bytes, name.length) == 0) {
            found = &rows[i];
            count++;
        }
    }
    if (count != 1) {
        return error_set(err, ERROR_INVALID, "%s option \"--%.*s\"",
                         count == 0 ? "unknown" : "ambiguous", STR_FORMAT(str_slice(name, 0, 64)));
    }
    *row_out = found;
    return OK;
}

static enum error_code set_format(struct options *options, const char *value, struct error *err)
{
    static const char *const names[] = {
        [OUTPUT_TEXT] = "text", [OUTPUT_JSON] = "json", [OUTPUT_TSV] = "tsv"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            options->format = (enum output_format)i;
            return OK;
        }
    }
    return error_set(err, ERROR_INVALID, "--output is text, json or tsv, not \"%.64s\"", value);
}

static enum error_code set_limit(struct options *options, const char *value, struct error *err)
{
    if (str_parse_uint64(str_from(value), &options->limit) && options->limit > 0) {
        return OK;
    }
    return error_set(err, ERROR_INVALID, "--limit is a number above 0, not \"%.64s\"", value);
}

static enum error_code apply(struct parsing *parsing, const struct option_row *row,
                             const char *value, struct error *err)
{
    struct options *const options = &parsing->options;

    switch (row->letter) {
    case 'h':
        options->wants_help = true;
        break;
    case 'V':
        options->wants_version = true;
        break;
    case 'U':
        options->url = value;
        break;
    case 'o':
        return set_format(options, value, err);
    case 'l':
        return set_limit(options, value, err);
    case 'D':
        options->by_device = true;
        break;
    case 'u':
        options->user = value;
        break;
    case 'P':
        options->password_on_stdin = true;
        break;
    case 'N':
        options->without_helper = true;
        break;
    default:
        options->with_dockercfg = true;
        break;
    }
    return OK;
}

static enum error_code take_value(struct parsing *parsing, const struct option_row *row,
                                  const char *value, struct error *err)
{
    if (row->argument && !value) {
        if (parsing->next >= parsing->argc) {
            return error_set(err, ERROR_INVALID, "--%s needs a value: %s", row->name,
                             row->argument);
        }
        value = parsing->argv[parsing->next++];
    }
    if (!strchr(parsing->used, row->letter)) {
        parsing->used[strlen(parsing->used)] = row->letter;
    }
    return apply(parsing, row, value, err);
}

/* `--name`, `--name=value`, `--name value` */
static enum error_code parse_long(struct parsing *parsing, const char *word, struct error *err)
{
    const struct str whole = str_from(word);
    const size_t equals = str_index_of(whole, '=');
    const char *const value = equals < whole.length ? word + equals + 1 : NULL;
    const struct option_row *row = rows; /* not NULL: gcc does not see that OK sets it */
    const enum error_code code = find_long(str_slice(whole, 0, equals), &row, err);

    if (code) {
        return code;
    }
    assert(row);
    if (!row->argument && value) {
        return error_set(err, ERROR_INVALID, "--%s takes no value", row->name);
    }
    return take_value(parsing, row, value, err);
}

/* `-l`, `-l 5`, `-l5`, `-hV` */
static enum error_code parse_short(struct parsing *parsing, const char *word, struct error *err)
{
    enum error_code code = OK;

    for (; *word != '\0' && !code; word++) {
        const struct option_row *const row = options_find(*word);

        if (!row || row->is_long_only) {
            return error_set(err, ERROR_INVALID, "unknown option \"-%c\"",
                             *word >= ' ' && *word <= '~' ? *word : '?');
        }
        if (row->argument) {
            return take_value(parsing, row, word[1] != '\0' ? word + 1 : NULL, err);
        }
        code = take_value(parsing, row, NULL, err);
    }
    return code;
}

static enum error_code parse_word(struct parsing *parsing, struct error *err)
{
    const char *const word = parsing->argv[parsing->next++];

    return word[1] == '-' ? parse_long(parsing, word + 2, err)
                          : parse_short(parsing, word + 1, err);
}

static enum error_code options_check(const struct parsing *parsing, struct error *err)
{
    const struct options *const options = &parsing->options;
    const struct command *const command = options->command;

    if (options->wants_help || options->wants_version || !command) {
        return OK;
    }
    for (const char *letter = parsing->used; *letter != '\0'; letter++) {
        if (!strchr(global_options, *letter) && !strchr(command->options, *letter)) {
            return error_set(err, ERROR_INVALID, "`pierone %s` has no option --%s", command->name,
                             options_find(*letter)->name);
        }
    }
    if (options->argument_count < command->min_arguments ||
        options->argument_count > command->max_arguments) {
        return error_set(err, ERROR_INVALID, "usage: pierone %s%s%s", command->name,
                         command->usage[0] != '\0' ? " " : "", command->usage);
    }
    return OK;
}

enum error_code options_parse(int argc, char *const argv[], struct options *options_out,
                              struct error *err)
{
    struct parsing parsing = {.argc = argc, .argv = argv, .next = 1};
    bool is_ended = false;
    enum error_code code = OK;

    while (parsing.next < argc && !code) {
        const char *const word = argv[parsing.next];

        if (!is_ended && strcmp(word, "--") == 0) {
            is_ended = true;
            parsing.next++;
        } else if (is_ended || word[0] != '-' || word[1] == '\0') {
            parsing.next++;
            code = add_argument(&parsing, word, err);
        } else {
            code = parse_word(&parsing, err);
        }
    }
    if (!code) {
        code = options_check(&parsing, err);
    }
    if (!code) {
        *options_out = parsing.options;
    }
    return code;
}
