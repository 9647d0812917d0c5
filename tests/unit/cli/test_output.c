#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/attributes.h"

static const struct column columns[] = {
    {"name", "Name", COLUMN_TEXT},
    {"id", "Id", COLUMN_DIGEST},
    {"count", "Count", COLUMN_NUMBER},
    {"size", "Size", COLUMN_SIZE},
    {"created_time", "Created", COLUMN_TIME},
};

enum { NOW_MS = 1000 * 1000 };

/* Prints into memory; valid until the next call. */
static const char *printed(const struct table *table, enum output_format format, bool has_colour)
{
    static char *text;
    size_t length = 0;
    struct output output = {.format = format, .has_colour = has_colour, .now_ms = NOW_MS};

    free(text);
    text = NULL;
    output.file = open_memstream(&text, &length);
    assert_non_null(output.file);
    table_print(table, &output);
    assert_int_equal(fclose(output.file), 0);
    return text;
}

static void fill(struct table *table)
{
    const struct cell first[] = {cell_text(str_from("caf\xc3\xa9")),
                                 cell_text(str_from("sha256:0123456789abcdef0123456789")),
                                 cell_number(7), cell_number(1536), cell_number(NOW_MS - 61000)};
    const struct cell second[] = {cell_text(str_from("a\tb\033[31m\n")), cell_absent(),
                                  cell_number(1234), cell_absent(), cell_absent()};

    table_init(table, columns, ARRAY_LEN(columns));
    table_add(table, first);
    table_add(table, second);
}

static void text_is_aligned_for_people(void **state)
{
    struct table table;

    (void)state;
    fill(&table);
    assert_string_equal(printed(&table, OUTPUT_TEXT, false),
                        "Name       Id                   Count     Size  Created\n"
                        "caf\xc3\xa9       sha256:0123456789ab      7  1.5 KiB  1m ago\n"
                        "a?b?[31m?                        1234           \n");
    assert_non_null(strstr(printed(&table, OUTPUT_TEXT, true), "\033[1mName"));
    table_release(&table);
}

static void scripts_get_plain_values(void **state)
{
    struct table table;

    (void)state;
    fill(&table);
    assert_string_equal(
        printed(&table, OUTPUT_JSON, true),
        "[{\"name\":\"caf\xc3\xa9\",\"id\":\"sha256:0123456789abcdef0123456789\",\"count\":7,"
        "\"size\":1536,\"created_time\":939},{\"name\":\"a\\tb\\u001b[31m\\n\",\"id\":null,"
        "\"count\":1234,\"size\":null,\"created_time\":null}]\n");
    assert_string_equal(printed(&table, OUTPUT_TSV, true),
                        "name\tid\tcount\tsize\tcreated_time\n"
                        "caf\xc3\xa9\tsha256:0123456789abcdef0123456789\t7\t1536\t939\n"
                        "a?b?[31m?\t\t1234\t\t\n");
    table_release(&table);
}

static void empty_tables_are_empty(void **state)
{
    struct table table;

    (void)state;
    table_init(&table, columns, ARRAY_LEN(columns));
    assert_string_equal(printed(&table, OUTPUT_TEXT, true), "");
    assert_string_equal(printed(&table, OUTPUT_JSON, false), "[]\n");
    assert_string_equal(printed(&table, OUTPUT_TSV, false),
                        "name\tid\tcount\tsize\tcreated_time\n");
    table_release(&table);
}

static void details_are_lines_below_headings(void **state)
{
    static const char *const headings[] = {"First", NULL, "Second", "Third", NULL};
    char *text = NULL;
    size_t length = 0;
    struct output output = {.now_ms = NOW_MS};
    struct table table;

    (void)state;
    fill(&table);
    table.row_count = 1;
    output.file = open_memstream(&text, &length);
    table_print_details(&table, headings, &output);
    assert_int_equal(fclose(output.file), 0);
    assert_string_equal(text, "First\n  Name     caf\xc3\xa9\n  Id       sha256:0123456789ab\n\n"
                              "Second\n  Count    7\n\nThird\n  Size     1.5 KiB\n"
                              "  Created  1m ago\n");
    free(text);
    table_release(&table);
}

static void the_last_rows_are_kept(void **state)
{
    struct table table;

    (void)state;
    for (uint64_t limit = 1; limit < 5; limit++) {
        table_init(&table, &columns[2], 1);
        for (int i = 0; i < 5; i++) {
            const struct cell cell = cell_number(i);

            table_add(&table, &cell);
        }
        table_keep_last(&table, 2, limit); /* of 2, 3, 4 */
        assert_int_equal(table.row_count, 2 + (limit < 3 ? limit : 3));
        assert_int_equal(table.cells[1].number, 1);
        assert_int_equal(table.cells[table.row_count - 1].number, 4);
        assert_int_equal(table.cells[2].number, limit < 3 ? 5 - limit : 2);
        table_release(&table);
    }
}

static void times_are_relative(void **state)
{
    static const struct {
        int64_t age_s;
        const char *text;
    } rows[] = {{0, "now"},         {1, "1s ago"},     {59, "59s ago"},
                {60, "1m ago"},     {3599, "59m ago"}, {3600, "1h ago"},
                {86399, "23h ago"}, {86400, "1d ago"}, {86400 * 900, "900d ago"},
                {-1, "in 1s"},      {-7200, "in 2h"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[SHOWN_BYTES];

        show_time(NOW_MS - rows[i].age_s * 1000, NOW_MS, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void sizes_have_units(void **state)
{
    static const struct {
        uint64_t size_bytes;
        const char *text;
    } rows[] = {{0, "0 B"},
                {1023, "1023 B"},
                {1024, "1.0 KiB"},
                {1536 * 1024, "1.5 MiB"},
                {UINT64_MAX, "16.0 EiB"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[SHOWN_BYTES];

        show_size(rows[i].size_bytes, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest output[] = {
        cmocka_unit_test(text_is_aligned_for_people),
        cmocka_unit_test(scripts_get_plain_values),
        cmocka_unit_test(empty_tables_are_empty),
        cmocka_unit_test(details_are_lines_below_headings),
        cmocka_unit_test(the_last_rows_are_kept),
        cmocka_unit_test(times_are_relative),
        cmocka_unit_test(sizes_have_units),
    };

    return cmocka_run_group_tests(output, NULL, NULL);
}
