#include "server/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"

enum { MAX_WORDS = 8, MANUAL_MAX_BYTES = 65536 };

/* options_parse on words, which getopt may move around. */
static enum error_code parse(const char *const *words, struct options *options, struct error *err)
{
    static char texts[MAX_WORDS][64];
    char *argv[MAX_WORDS + 1] = {NULL};
    int argc = 0;

    while (words[argc]) {
        (void)snprintf(texts[argc], sizeof(texts[argc]), "%s", words[argc]);
        argv[argc] = texts[argc];
        argc++;
    }
    return options_parse(argc, argv, options, err);
}

static void without_options_it_serves(void **state)
{
    static const char *const words[] = {"pieroned", NULL};
    struct options options;

    (void)state;
    assert_int_equal(parse(words, &options, NULL), OK);
    assert_int_equal(options.command, COMMAND_SERVE);
    assert_null(options.file);
    assert_int_equal(options.override_count, 0);
}

static void flags_become_overrides(void **state)
{
    static const char *const words[] = {"pieroned", "--listen", "127.0.0.1:1",      "-c",
                                        "x.yaml",   "--data=d", "--listen=[::1]:2", NULL};
    struct options options;

    (void)state;
    assert_int_equal(parse(words, &options, NULL), OK);
    assert_string_equal(options.file, "x.yaml");
    assert_int_equal(options.override_count, 2);
    assert_string_equal(options.overrides[0].key, "listen");
    assert_string_equal(options.overrides[0].value, "[::1]:2");
    assert_string_equal(options.overrides[1].key, "data");
    assert_string_equal(options.overrides[1].value, "d");
}

static void commands_are_found(void **state)
{
    static const struct {
        const char *words[4];
        enum command command;
    } cases[] = {
        {{"pieroned", "--check-config"}, COMMAND_CHECK_CONFIG},
        {{"pieroned", "--print-configuration", "markdown"}, COMMAND_PRINT_MARKDOWN},
        {{"pieroned", "--print-configuration=yaml"}, COMMAND_PRINT_YAML},
        {{"pieroned", "--print-configuration", "man"}, COMMAND_PRINT_MAN},
        {{"pieroned", "--version"}, COMMAND_VERSION},
        {{"pieroned", "-V"}, COMMAND_VERSION},
        {{"pieroned", "--help"}, COMMAND_HELP},
        {{"pieroned", "-h"}, COMMAND_HELP},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;

        assert_int_equal(parse(cases[i].words, &options, NULL), OK);
        assert_int_equal(options.command, cases[i].command);
    }
}

static void wrong_usage_is_explained(void **state)
{
    static const struct {
        const char *words[4];
        const char *message;
    } cases[] = {
        {{"pieroned", "--lisen=x"}, "unknown option \"--lisen\"; did you mean \"--listen\"?"},
        {{"pieroned", "--colour"}, "unknown option \"--colour\""},
        {{"pieroned", "-x"}, "unknown option \"-x\""},
        {{"pieroned", "-c"}, "--config needs its FILE"},
        {{"pieroned", "--data"}, "--data needs its DIR"},
        {{"pieroned", "--help=me"}, "--help takes no value"},
        {{"pieroned", "serve"}, "unexpected argument \"serve\""},
        {{"pieroned", "--print-configuration", "xml"},
         "--print-configuration takes markdown, yaml or man, not \"xml\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        struct error err;

        assert_int_equal(parse(cases[i].words, &options, &err), ERROR_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void help_names_every_option_and_setting(void **state)
{
    static const char *const expected[] = {"-c, --config FILE",
                                           "--listen HOST:PORT",
                                           "--data DIR",
                                           "--check-config",
                                           "--print-configuration markdown|yaml|man",
                                           "-V, --version",
                                           "-h, --help",
                                           "tls.certificate",
                                           "limits.idle_timeout"};
    struct strbuf help;

    (void)state;
    strbuf_init(&help, MANUAL_MAX_BYTES);
    options_append_help(&help);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_non_null(strstr(help.text, expected[i]));
    }
    strbuf_release(&help);
}

static void read_manual(struct strbuf *manual)
{
    char chunk[4096];
    size_t length;
    FILE *const file = fopen(SOURCE_FOLDER "/man/pieroned.8", "r");

    assert_non_null(file);
    while ((length = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        strbuf_append(manual, (struct str){chunk, length});
    }
    (void)fclose(file);
}

/* How many times the words `mark``name` begin in the text, each name that follows being known. */
static size_t count_options(struct str text, const char *mark, const char *known)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++) {
        struct str rest = str_from_index(text, i);
        char expected[64];
        size_t length = 0;

        if (!str_starts_with(rest, mark)) {
            continue;
        }
        rest = str_from_index(rest, strlen(mark));
        while (length < rest.length && strchr("abcdefghijklmnopqrstuvwxyz-", rest.bytes[length])) {
            length++;
        }
        (void)snprintf(expected, sizeof(expected), "--%.*s", (int)length, rest.bytes);
        assert_non_null(strstr(known, expected));
        count++;
    }
    return count;
}

/* Its items are in mdoc: `.It Fl -data Ar DIR`, or `.It Fl c , Fl -config Ar FILE`. Those of
 * `pieroned user` are in a section of their own. */
static void the_manual_page_has_the_options_of_help(void **state)
{
    struct strbuf manual;
    struct strbuf items;
    struct strbuf help;
    struct str rest;
    struct str line;
    size_t in_help;

    (void)state;
    strbuf_init(&manual, MANUAL_MAX_BYTES);
    strbuf_init(&items, MANUAL_MAX_BYTES);
    strbuf_init(&help, MANUAL_MAX_BYTES);
    read_manual(&manual);
    options_append_help(&help);
    rest = str_from(strstr(manual.text, ".Sh OPTIONS\n"));
    (void)str_cut(&rest, '\n', &line);
    while (str_cut(&rest, '\n', &line) && !str_starts_with(line, ".Sh ")) {
        if (str_starts_with(line, ".It Fl")) {
            strbuf_append(&items, line);
            strbuf_append_byte(&items, '\n');
        }
    }
    *strstr(help.text, "\n\nSettings") = '\0'; /* below are no options */
    in_help = count_options(str_from(help.text), " --", help.text);
    assert_int_equal(in_help, 7);
    assert_int_equal(count_options(strbuf_str(&items), "Fl -", help.text), in_help);
    strbuf_release(&help);
    strbuf_release(&items);
    strbuf_release(&manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_it_serves),
        cmocka_unit_test(flags_become_overrides),
        cmocka_unit_test(commands_are_found),
        cmocka_unit_test(wrong_usage_is_explained),
        cmocka_unit_test(help_names_every_option_and_setting),
        cmocka_unit_test(the_manual_page_has_the_options_of_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
