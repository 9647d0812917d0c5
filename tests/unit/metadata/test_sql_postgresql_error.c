#include "metadata/sql_postgresql_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static void states_say_what_helps(void **state)
{
    static const struct {
        const char *state;
        enum postgresql_failure failure;
    } rows[] = {
        {"", POSTGRESQL_IS_LOST},       {"08006", POSTGRESQL_IS_LOST},
        {"08P01", POSTGRESQL_FORGETS},  {"25006", POSTGRESQL_IS_LOST},
        {"26000", POSTGRESQL_FORGETS},  {"42P05", POSTGRESQL_FORGETS},
        {"40001", POSTGRESQL_COLLIDES}, {"40P01", POSTGRESQL_COLLIDES},
        {"53100", POSTGRESQL_REFUSES},  {"53300", POSTGRESQL_IS_LOST},
        {"57014", POSTGRESQL_REFUSES},  {"57P01", POSTGRESQL_IS_LOST},
        {"57P02", POSTGRESQL_IS_LOST},  {"57P03", POSTGRESQL_IS_LOST},
        {"23505", POSTGRESQL_REFUSES},  {"42601", POSTGRESQL_REFUSES},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(postgresql_failure_of(str_from(rows[i].state)), rows[i].failure);
    }
}

static void a_connection_that_cannot_be_made_says_why_in_a_line(void **state)
{
    PGconn *handle = PQconnectdb("postgresql:///x?host=/none&port=1");
    struct error err = {0};

    (void)state;
    assert_int_equal(postgresql_error_set_lost(handle, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "/none"));
    assert_null(strchr(err.message, '\n'));
    assert_true(err.retry_after_s > 0);
    PQfinish(handle);
}

static void a_result_without_a_state_is_a_lost_connection(void **state)
{
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);

    (void)state;
    assert_int_equal(postgresql_state_of(result).length, 0);
    assert_int_equal(postgresql_error_set(result, NULL), ERROR_UNAVAILABLE);
    PQclear(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_say_what_helps),
        cmocka_unit_test(a_connection_that_cannot_be_made_says_why_in_a_line),
        cmocka_unit_test(a_result_without_a_state_is_a_lost_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
