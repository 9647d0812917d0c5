#include "cli/output.h"

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

static const struct column columns[] = {
    {"name", "Name", COLUMN_TEXT},
    {"digest", "Digest", COLUMN_DIGEST},
    {"tags", "Tags", COLUMN_NUMBER},
    {"size", "Size", COLUMN_SIZE},
    {"created_time", "Created", COLUMN_TIME},
};

static const int64_t now_ms = 1431013791230;

#define DIGEST "sha256:0123456789abcdef0123456789abcdef"

static void fill(struct table *table)
{
    table_init(table, columns, ARRAY_LEN(columns));
    table_add(table, (const struct cell[]){
                         cell_text(str_from("caf\xc3\xa9")),
                         cell_text(str_from(DIGEST)),
                         cell_number(5),
                         cell_number(1536),
                         cell_number(now_ms - 300 * 1000),
                     });
    table_add(table, (const struct cell[]){
                         cell_text(str_from("a\tb\x1b[31m\n\"")),
                         cell_absent(),
                         cell_number(-12345),
                         cell_absent(),
                         cell_absent(),
                     });
}

static void assert_prints(const struct table *table, const char *const *headings,
                          enum output_format format, bool has_colour, const char *expected)
{
    char *text = NULL;
    size_t length = 0;
    struct output output = {.format = format, .has_colour = has_colour, .now_ms = now_ms};

    output.file = open_memstream(&text, &length);
    if (headings) {
        table_print_details(table, headings, &output);
    } else {
        table_print(table, &output);
    }
    (void)fclose(output.file);
    assert_string_equal(text, expected);
    free(text);
}

static void text_is_aligned_by_characters(void **state)
{
    struct table table;

    (void)state;
    fill(&table);
    assert_prints(&table, NULL, OUTPUT_TEXT, false,
                  "Name        Digest                 Tags     Size  Created\n"
                  "caf\xc3\xa9        sha256:0123456789ab       5  1.5 KiB  5m ago\n"
                  "a?b?[31m?\"                       -12345           \n");
    table_release(&table);
}

static void titles_are_bold_on_a_terminal(void **state)
{
    static const struct column one[] = {{"name", "Name", COLUMN_TEXT}};
    const struct cell row[] = {cell_text(str_from("x"))};
    struct table table;

    (void)state;
    table_init(&table, one, 1);
    assert_prints(&table, NULL, OUTPUT_TEXT, true, "");
    table_add(&table, row);
    assert_prints(&table, NULL, OUTPUT_TEXT, true, "\033[1mName\033[0m\nx\n");
    assert_prints(&table, NULL, OUTPUT_TSV, true, "name\nx\n");
    table_release(&table);
}

static void json_is_one_line_of_objects(void **state)
{
    struct table table;

    (void)state;
    fill(&table);
    assert_prints(&table, NULL, OUTPUT_JSON, false,
                  "[{\"name\":\"caf\xc3\xa9\",\"digest\":\"" DIGEST "\",\"tags\":5,\"size\":1536,"
                  "\"created_time\":1431013491},"
                  "{\"name\":\"a\\tb\\u001b[31m\\n\\\"\",\"digest\":null,\"tags\":-12345,"
                  "\"size\":null,\"created_time\":null}]\n");
    table_release(&table);
}

static void tsv_keeps_its_lines(void **state)
{
    struct table table;

    (void)state;
    fill(&table);
    assert_prints(&table, NULL, OUTPUT_TSV, false,
                  "name\tdigest\ttags\tsize\tcreated_time\n"
                  "caf\xc3\xa9\t" DIGEST "\t5\t1536\t1431013491\n"
                  "a?b?[31m?\"\t\t-12345\t\t\n");
    table_release(&table);
}

static void an_empty_table_is_empty_for_people_only(void **state)
{
    struct table table;

    (void)state;
    table_init(&table, columns, ARRAY_LEN(columns));
    assert_prints(&table, NULL, OUTPUT_TEXT, false, "");
    assert_prints(&table, NULL, OUTPUT_JSON, false, "[]\n");
    assert_prints(&table, NULL, OUTPUT_TSV, false, "name\tdigest\ttags\tsize\tcreated_time\n");
    table_release(&table);
}

static void details_leave_out_what_is_absent(void **state)
{
    static const char *const headings[ARRAY_LEN(columns)] = {[0] = "Image", [3] = "Storage"};
    struct table table;

    (void)state;
    fill(&table);
    table.row_count = 1;
    assert_prints(&table, headings, OUTPUT_TEXT, false,
                  "Image\n"
                  "  Name     caf\xc3\xa9\n"
                  "  Digest   sha256:0123456789ab\n"
                  "  Tags     5\n"
                  "\nStorage\n"
                  "  Size     1.5 KiB\n"
                  "  Created  5m ago\n");
    table.cells[1] = cell_absent();
    table.cells[2] = cell_absent();
    assert_prints(&table, headings, OUTPUT_TSV, false,
                  "name\tdigest\ttags\tsize\tcreated_time\n"
                  "caf\xc3\xa9\t\t\t1536\t1431013491\n");
    table_release(&table);
}

static void many_rows_have_room(void **state)
{
    struct table table;

    (void)state;
    table_init(&table, columns, 1);
    for (int i = 0; i < 1000; i++) {
        const struct cell row[] = {cell_text(str_from("x"))};

        table_add(&table, row);
    }
    assert_int_equal(table.row_count, 1000);
    assert_true(str_is(table.cells[999].text, "x"));
    table_release(&table);
}

static void times_are_told_from_now(void **state)
{
    static const struct {
        int64_t from_now_ms;
        const char *shown;
    } cases[] = {
        {0, "now"},
        {-999, "now"},
        {999, "now"},
        {-1000, "1s ago"},
        {1000, "in 1s"},
        {-59999, "59s ago"},
        {-60000, "1m ago"},
        {300 * 1000, "in 5m"},
        {-3599 * 1000, "59m ago"},
        {-3600 * 1000, "1h ago"},
        {86399L * 1000, "in 23h"},
        {-86400L * 1000, "1d ago"},
        {400L * 86400 * 1000, "in 400d"},
    };
    char text[SHOWN_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        show_time(now_ms + cases[i].from_now_ms, now_ms, text);
        assert_string_equal(text, cases[i].shown);
    }
}

static void sizes_have_units(void **state)
{
    static const struct {
        uint64_t size_bytes;
        const char *shown;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {1024 * 1024, "1.0 MiB"},
        {5L * 1024 * 1024 * 1024, "5.0 GiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    char text[SHOWN_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        show_size(cases[i].size_bytes, text);
        assert_string_equal(text, cases[i].shown);
    }
}

static void assert_shows(struct str given, const char *expected)
{
    char *text = NULL;
    size_t length = 0;
    FILE *const file = open_memstream(&text, &length);

    show_text(file, given);
    (void)fclose(file);
    assert_string_equal(text, expected);
    free(text);
}

static void text_cannot_steer_a_terminal(void **state)
{
    static const struct {
        struct str given;
        const char *shown;
    } cases[] = {
        {STR_LITERAL("plain ~text"), "plain ~text"},
        {STR_LITERAL("a\0b"), "a?b"},
        {STR_LITERAL("\x1b]0;title\x07"), "?]0;title?"},
        {STR_LITERAL("a\r\n\t\x7f"), "a????"},
        {STR_LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3"),
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3"},
        /* U+0080 to U+009F: a CSI in one character (ECMA-48 5.3) */
        {STR_LITERAL("\xc2\x9b"
                     "31m"),
         "?31m"},
        {STR_LITERAL("\xc2\x80\xc2\x9f\xc2\xa0"), "??\xc2\xa0"},
        {STR_LITERAL("\x9b"
                     "31m"),
         "?31m"}, /* … where they are bytes */
        {STR_LITERAL("a\xc2"), "a?"},
        /* U+202E with U+202C, U+2066 with U+2069, U+200B, U+061C, U+2028, U+FEFF, U+E0041 */
        {STR_LITERAL("x\xe2\x80\xaetxt.exe\xe2\x80\xac"), "x\\u202etxt.exe\\u202c"},
        {STR_LITERAL("\xe2\x81\xa6\xe2\x81\xa9"), "\\u2066\\u2069"},
        {STR_LITERAL("\xe2\x80\x8b\xd8\x9c"), "\\u200b\\u061c"},
        {STR_LITERAL("\xe2\x80\xa8\xef\xbb\xbf"), "\\u2028\\ufeff"},
        {STR_LITERAL("\xf3\xa0\x81\x81"), "\\U000e0041"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_shows(cases[i].given, cases[i].shown);
    }
}

static void absent_text_is_absent(void **state)
{
    (void)state;
    assert_true(cell_absent().is_absent);
    assert_true(cell_text((struct str){NULL, 0}).is_absent);
    assert_false(cell_text(str_from("")).is_absent);
    assert_false(cell_number(0).is_absent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_aligned_by_characters),
        cmocka_unit_test(titles_are_bold_on_a_terminal),
        cmocka_unit_test(json_is_one_line_of_objects),
        cmocka_unit_test(tsv_keeps_its_lines),
        cmocka_unit_test(an_empty_table_is_empty_for_people_only),
        cmocka_unit_test(details_leave_out_what_is_absent),
        cmocka_unit_test(many_rows_have_room),
        cmocka_unit_test(times_are_told_from_now),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(text_cannot_steer_a_terminal),
        cmocka_unit_test(absent_text_is_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
