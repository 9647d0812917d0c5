#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "cli/command.h"

enum { LINE_BYTES = 512, WORDS_MAX = 80 };

/* Splits a line at its spaces; `_` stands for an empty word. The words live in `line`. */
static int split(char line[LINE_BYTES], char *words[WORDS_MAX])
{
    bool is_within = false;
    int count = 0;

    for (char *next = line; *next != '\0'; next++) {
        const bool is_space = *next == ' ';

        if (is_space || *next == '_') {
            *next = '\0';
        }
        if (!is_space && !is_within) {
            words[count++] = next;
        }
        is_within = !is_space;
    }
    return count;
}

struct line {
    char text[LINE_BYTES]; /* the options borrow it */
    struct options options;
};

static enum error_code parse(const char *text, struct line *line, struct error *err)
{
    char *words[WORDS_MAX];

    (void)snprintf(line->text, sizeof(line->text), "pierone %s", text);
    return options_parse(split(line->text, words), words, &line->options, err);
}

static void assert_text(const char *found, const char *expected)
{
    assert_int_equal(found == NULL, expected == NULL);
    if (found) {
        assert_string_equal(found, expected);
    }
}

static const struct {
    const char *line;
    const char *command; /* NULL: none */
    struct options expected;
} forms[] = {
    {"", NULL, {0}},
    {"-h", NULL, {.wants_help = true}},
    {"-hV", NULL, {.wants_help = true, .wants_version = true}},
    {"--help", NULL, {.wants_help = true}},
    {"--he", NULL, {.wants_help = true}},
    {"--version", NULL, {.wants_version = true}},
    {"teams --url a.b", "teams", {.url = "a.b"}},
    {"teams --url=a.b", "teams", {.url = "a.b"}},
    {"teams --url=", "teams", {.url = ""}},
    {"teams --url _", "teams", {.url = ""}},
    {"teams --url=a=b", "teams", {.url = "a=b"}},
    {"teams --ur a.b", "teams", {.url = "a.b"}},
    {"--url a.b teams", "teams", {.url = "a.b"}},
    {"teams --url --help", "teams", {.url = "--help"}},
    {"teams -o json", "teams", {.format = OUTPUT_JSON}},
    {"teams -ojson", "teams", {.format = OUTPUT_JSON}},
    {"teams --output=tsv", "teams", {.format = OUTPUT_TSV}},
    {"teams --out text", "teams", {.format = OUTPUT_TEXT}},
    {"teams -o json -o tsv", "teams", {.format = OUTPUT_TSV}},
    {"teams -ho json", "teams", {.wants_help = true, .format = OUTPUT_JSON}},
    {"tags t -l 5", "tags", {.limit = 5, .argument_count = 1, .arguments = {"t"}}},
    {"tags -l5 t", "tags", {.limit = 5, .argument_count = 1, .arguments = {"t"}}},
    {"tags --limit 007 t", "tags", {.limit = 7, .argument_count = 1, .arguments = {"t"}}},
    {"tags --limit=18446744073709551615 t",
     "tags",
     {.limit = UINT64_MAX, .argument_count = 1, .arguments = {"t"}}},
    {"login --device", "login", {.by_device = true}},
    {"login --dev", "login", {.by_device = true}},
    {"login -u jane --password-stdin", "login", {.user = "jane", .password_on_stdin = true}},
    {"login -ujane", "login", {.user = "jane"}},
    {"login --username=jane", "login", {.user = "jane"}},
    {"login --no-helper --dockercfg", "login", {.without_helper = true, .with_dockercfg = true}},
    {"tags -- -t", "tags", {.argument_count = 1, .arguments = {"-t"}}},
    {"tags -- --limit", "tags", {.argument_count = 1, .arguments = {"--limit"}}},
    {"-- tags --", "tags", {.argument_count = 1, .arguments = {"--"}}},
    {"tags -", "tags", {.argument_count = 1, .arguments = {"-"}}},
    {"tags _", "tags", {.argument_count = 1, .arguments = {""}}},
    {"latest a b", "latest", {.argument_count = 2, .arguments = {"a", "b"}}},
    {"tags --help", "tags", {.wants_help = true}},
    {"teams --limit 5 --help", "teams", {.wants_help = true, .limit = 5}},
};

static void every_form_of_an_option_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const struct options *const expected = &forms[i].expected;
        struct line line;

        assert_int_equal(parse(forms[i].line, &line, NULL), OK);
        assert_text(line.options.command ? line.options.command->name : NULL, forms[i].command);
        assert_text(line.options.url, expected->url);
        assert_text(line.options.user, expected->user);
        assert_int_equal(line.options.format, expected->format);
        assert_true(line.options.limit == expected->limit);
        assert_int_equal(line.options.wants_help, expected->wants_help);
        assert_int_equal(line.options.wants_version, expected->wants_version);
        assert_int_equal(line.options.by_device, expected->by_device);
        assert_int_equal(line.options.password_on_stdin, expected->password_on_stdin);
        assert_int_equal(line.options.without_helper, expected->without_helper);
        assert_int_equal(line.options.with_dockercfg, expected->with_dockercfg);
        assert_int_equal(line.options.argument_count, expected->argument_count);
        for (size_t j = 0; j < expected->argument_count; j++) {
            assert_text(line.options.arguments[j], expected->arguments[j]);
        }
    }
}

static void what_is_wrong_is_told(void **state)
{
    static const struct {
        const char *line;
        const char *told;
    } cases[] = {
        {"--nonsense", "unknown option \"--nonsense\""},
        {"--=x", "unknown option \"--\""},
        {"--helpx", "unknown option \"--helpx\""},
        {"--u a", "ambiguous option \"--u\""},
        {"--d", "ambiguous option \"--d\""},
        {"--help=yes", "--help takes no value"},
        {"teams --url", "--url needs a value: URL"},
        {"teams -o", "--output needs a value: text|json|tsv"},
        {"teams -o xml", "not \"xml\""},
        {"teams -o JSON", "not \"JSON\""},
        {"teams --output=", "not \"\""},
        {"tags t -l 0", "--limit is a number above 0"},
        {"tags t -l -1", "--limit is a number above 0"},
        {"tags t -l 5x", "not \"5x\""},
        {"tags t -l 18446744073709551616", "--limit is a number"},
        {"-x", "unknown option \"-x\""},
        {"-\x1b", "unknown option \"-?\""},
        {"-U a.b", "unknown option \"-U\""},
        {"-D", "unknown option \"-D\""},
        {"-hx", "unknown option \"-x\""},
        {"nonsense", "unknown command \"nonsense\""},
        {"t", "ambiguous command \"t\""},
        {"_", "command \"\""},
        {"teams -l 5", "`pierone teams` has no option --limit"},
        {"teams --device", "`pierone teams` has no option --device"},
        {"teams x", "usage: pierone teams"},
        {"tags", "usage: pierone tags TEAM [ARTIFACT...]"},
        {"latest a", "usage: pierone latest TEAM ARTIFACT"},
        {"latest a b c", "usage: pierone latest TEAM ARTIFACT"},
        {"mark-production-ready a b c", "usage: pierone mark-production-ready INCIDENT"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct line line = {.options = {.url = "untouched"}};
        struct error err = {0};

        assert_int_equal(parse(cases[i].line, &line, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_text(line.options.url, "untouched");
    }
}

static void arguments_have_a_highest_number(void **state)
{
    for (int over = 0; over <= 1; over++) {
        struct line line;
        struct error err = {0};
        char text[LINE_BYTES] = "tags";

        (void)state;
        for (int i = 0; i < ARGUMENTS_MAX + over; i++) {
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " a");
        }
        assert_int_equal(parse(text, &line, &err), over ? ERROR_INVALID : OK);
        assert_int_equal(strstr(err.message, "more than 64 arguments") != NULL, over);
    }
}

static void rows_are_found_by_their_letter(void **state)
{
    size_t count = 0;
    const struct option_row *const rows = options_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(options_find(rows[i].letter), &rows[i]);
    }
    assert_null(options_find('?'));
    for (const char *letter = global_options; *letter != '\0'; letter++) {
        assert_non_null(options_find(*letter));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_option_is_taken),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(arguments_have_a_highest_number),
        cmocka_unit_test(rows_are_found_by_their_letter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
