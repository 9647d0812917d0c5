#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "cli/command.h"

enum { WORDS_MAX = 80 };

/* Parses words that are separated by spaces. */
static enum error_code parse(const char *line, struct options *options, struct error *err)
{
    static char texts[WORDS_MAX][100];
    char *words[WORDS_MAX] = {texts[0]};
    struct str rest = str_from(line);
    struct str word;
    int count = 1;

    while (str_cut(&rest, ' ', &word) && count < WORDS_MAX) {
        if (word.length > 0) {
            (void)snprintf(texts[count], sizeof(texts[count]), "%.*s", STR_FORMAT(word));
            words[count] = texts[count];
            count++;
        }
    }
    return options_parse(count, words, options, err);
}

static void options_stand_anywhere(void **state)
{
    static const char *const lines[] = {
        "tags team app -l 5 -o json --url x",
        "-l5 -ojson tags --url=x team app",
        "--limit 5 --output=json --url x ta team app",
        "tags -l 5 team --url x -o json -- app",
        "tags --lim=5 --out json --ur x team app",
        "tags team app -l 7 -l 5 -o tsv -o json --url x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct options options = {0};

        assert_int_equal(parse(lines[i], &options, NULL), OK);
        assert_string_equal(options.command->name, "tags");
        assert_int_equal(options.argument_count, 2);
        assert_string_equal(options.arguments[0], "team");
        assert_string_equal(options.arguments[1], "app");
        assert_int_equal(options.limit, 5);
        assert_int_equal(options.format, OUTPUT_JSON);
        assert_string_equal(options.url, "x");
    }
}

static void each_option_sets_what_it_means(void **state)
{
    struct options options = {0};

    (void)state;
    assert_int_equal(
        parse("login --device -u me --password-stdin --no-helper --dockercfg", &options, NULL), OK);
    assert_true(options.by_device && options.password_on_stdin && options.without_helper &&
                options.with_dockercfg);
    assert_string_equal(options.user, "me");
    assert_int_equal(parse("-hV", &options, NULL), OK);
    assert_true(options.wants_help && options.wants_version);
    assert_int_equal(parse("", &options, NULL), OK);
    assert_null(options.command);
    assert_int_equal(parse("artifacts -- -x", &options, NULL), OK);
    assert_string_equal(options.arguments[0], "-x");
    assert_int_equal(parse("artifacts -", &options, NULL), OK);
    assert_string_equal(options.arguments[0], "-");
    assert_int_equal(parse("tags --help", &options, NULL), OK); /* without its arguments */
}

static void what_is_wrong_is_said(void **state)
{
    static const char *const rows[][2] = {
        {"teams --nonsense", "unknown option \"--nonsense\""},
        {"teams -x", "unknown option \"-x\""},
        {"teams -D", "unknown option \"-D\""}, /* a letter, and no option */
        {"teams --h=1", "takes no value"},
        {"teams --", NULL},
        {"teams -o", "needs a value"},
        {"teams --output", "needs a value"},
        {"teams -o xml", "text, json or tsv"},
        {"tags x -l 0", "above 0"},
        {"tags x -l many", "above 0"},
        {"tags x -l 99999999999999999999", "above 0"},
        {"teams -l 3", "no option --limit"},
        {"tags --device x", "no option --device"},
        {"tags", "usage: pierone tags TEAM [ARTIFACT...]"},
        {"teams x", "usage: pierone teams"},
        {"latest a b c", "usage: pierone latest TEAM ARTIFACT"},
        {"nonsense", "unknown command"},
        {"login --no", NULL},
        {"login --d", "ambiguous option"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct options options = {0};
        struct error err = {0};
        const enum error_code code = parse(rows[i][0], &options, &err);

        if (rows[i][1] ? code != ERROR_INVALID || !strstr(err.message, rows[i][1]) : code != OK) {
            fail_msg("%s: %s", rows[i][0], err.message);
        }
    }
}

static void arguments_are_limited(void **state)
{
    char line[400] = "tags";
    struct options options = {0};

    (void)state;
    for (int i = 0; i < ARGUMENTS_MAX; i++) {
        memcpy(line + strlen(line), " a", 3);
    }
    assert_int_equal(parse(line, &options, NULL), OK);
    memcpy(line + strlen(line), " a", 3);
    assert_int_equal(parse(line, &options, NULL), ERROR_INVALID);
}

static void letters_name_one_option_each(void **state)
{
    size_t count = 0;
    const struct option_row *const rows = options_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(options_find(rows[i].letter), &rows[i]);
    }
    assert_null(options_find('?'));
}

int main(void)
{
    const struct CMUnitTest options[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(each_option_sets_what_it_means),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(arguments_are_limited),
        cmocka_unit_test(letters_name_one_option_each),
    };

    return cmocka_run_group_tests(options, NULL, NULL);
}
