#include "settings/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/settings.h"
#include "settings/load.h"

/* The committed file and the printed one must be the same bytes. */
static void assert_committed(const char *path, const char *format, const struct strbuf *printed)
{
    struct strbuf committed;
    char chunk[4096];
    size_t length;
    FILE *const file = fopen(path, "r");

    assert_non_null(file);
    strbuf_init(&committed, SETTINGS_DOCUMENT_MAX_BYTES);
    while ((length = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        strbuf_append(&committed, (struct str){chunk, length});
    }
    (void)fclose(file);
    if (!str_equal(strbuf_str(&committed), strbuf_str(printed))) {
        print_error("write it again: pieroned --print-configuration %s > %s\n", format, path);
    }
    assert_string_equal(committed.text, printed->text);
    strbuf_release(&committed);
}

static void the_manual_is_committed_as_printed(void **state)
{
    struct strbuf printed;

    (void)state;
    strbuf_init(&printed, SETTINGS_DOCUMENT_MAX_BYTES);
    settings_document_markdown(&settings_schema, &printed);
    assert_committed(SOURCE_FOLDER "/docs/configuration.md", "markdown", &printed);
    strbuf_release(&printed);
}

static void the_example_is_committed_as_printed(void **state)
{
    struct strbuf printed;

    (void)state;
    strbuf_init(&printed, SETTINGS_DOCUMENT_MAX_BYTES);
    settings_document_yaml(&settings_schema, &printed);
    assert_committed(SOURCE_FOLDER "/docs/pieroned.example.yaml", "yaml", &printed);
    strbuf_release(&printed);
}

static void the_manual_page_is_committed_as_printed(void **state)
{
    struct strbuf printed;

    (void)state;
    strbuf_init(&printed, SETTINGS_DOCUMENT_MAX_BYTES);
    settings_document_man(&settings_schema, &printed);
    assert_committed(SOURCE_FOLDER "/man/pieroned.yaml.5.scd", "man", &printed);
    strbuf_release(&printed);
}

/* Takes the first # from each line. */
static void uncomment(const struct strbuf *example, struct strbuf *text)
{
    struct str rest = strbuf_str(example);
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        assert_true(line.length == 0 || str_starts_with(line, "#"));
        strbuf_append(text, str_from_index(line, 1));
        strbuf_append_byte(text, '\n');
    }
}

static void the_example_sets_nothing(void **state)
{
    struct settings settings;
    struct settings_target target;
    struct problems problems;
    struct strbuf example;

    (void)state;
    settings_init(&settings);
    target = settings_target(&settings);
    problems_init(&problems);
    strbuf_init(&example, SETTINGS_DOCUMENT_MAX_BYTES);
    settings_document_yaml(&settings_schema, &example);
    settings_file_apply("example", strbuf_str(&example), &target, &problems);
    assert_true(problems_is_empty(&problems));
    assert_null(settings.tls.key);
    strbuf_release(&example);
    problems_release(&problems);
    settings_release(&settings);
}

static void the_example_loads_with_every_line_uncommented(void **state)
{
    struct settings settings;
    struct settings_target target;
    struct problems problems;
    struct strbuf example;
    struct strbuf text;

    (void)state;
    settings_init(&settings);
    target = settings_target(&settings);
    problems_init(&problems);
    strbuf_init(&example, SETTINGS_DOCUMENT_MAX_BYTES);
    strbuf_init(&text, SETTINGS_DOCUMENT_MAX_BYTES);
    settings_document_yaml(&settings_schema, &example);
    uncomment(&example, &text);
    settings_file_apply("example", strbuf_str(&text), &target, &problems);
    assert_true(str_is(problems_lines(&problems), ""));
    assert_string_equal(settings.tls.key, "/etc/pierone/tls.key");
    assert_string_equal(settings.public_url, "https://registry.example.org");
    strbuf_release(&text);
    strbuf_release(&example);
    problems_release(&problems);
    settings_release(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_is_committed_as_printed),
        cmocka_unit_test(the_example_is_committed_as_printed),
        cmocka_unit_test(the_manual_page_is_committed_as_printed),
        cmocka_unit_test(the_example_sets_nothing),
        cmocka_unit_test(the_example_loads_with_every_line_uncommented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
