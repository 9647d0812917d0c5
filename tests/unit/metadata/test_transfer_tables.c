#include "metadata/transfer_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static size_t count_of(const char *text, char byte)
{
    size_t count = 0;

    for (; *text; text++) {
        count += *text == byte;
    }
    return count;
}

/* What the list of columns of `insert` has. */
static struct str columns_of(const struct transfer_table *table)
{
    const char *const begin = strchr(table->insert, '(') + 1;

    return (struct str){begin, (size_t)(strchr(begin, ')') - begin)};
}

static void what_is_read_is_what_is_written(void **state)
{
    size_t count = 0;
    const struct transfer_table *tables = transfer_tables(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct str columns = columns_of(&tables[i]);
        const struct str read = {tables[i].select + strlen("select "), columns.length};

        if (!str_equal(columns, read)) {
            fail_msg("%s: %.*s", tables[i].name, STR_FORMAT(columns));
        }
        assert_int_equal(count_of(tables[i].insert, '$'), tables[i].columns);
        assert_int_equal(count_of(tables[i].select, '$'), tables[i].key_columns + 1);
        assert_non_null(strstr(tables[i].insert, tables[i].name));
        assert_non_null(strstr(tables[i].insert, "on conflict"));
        assert_true(tables[i].key_columns <= TRANSFER_KEY_COLUMNS_MAX);
        assert_true(tables[i].columns <= ARRAY_LEN(((struct sql_query *)NULL)->values));
        assert_true(tables[i].page_rows > 0);
    }
}

static void keys_have_a_value_before_all_others(void **state)
{
    size_t count = 0;
    const struct transfer_table *tables = transfer_tables(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i].key_columns; k++) {
            assert_int_not_equal(tables[i].before_all[k].type, SQL_NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_is_written),
        cmocka_unit_test(keys_have_a_value_before_all_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
