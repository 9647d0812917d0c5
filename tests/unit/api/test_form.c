#include "api/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Reads all fields and writes them as `name=value|`; ! for one that cannot be read. */
static void read_all(const char *text, char *out, size_t capacity)
{
    struct str rest = str_from(text);
    struct form_field field = {0};
    struct arena arena;
    bool is_valid = false;

    out[0] = '\0';
    arena_init(&arena, 4096);
    while (form_next(&rest, &arena, &field, &is_valid)) {
        const size_t length = strlen(out);

        if (is_valid) {
            (void)snprintf(out + length, capacity - length, "%.*s=%.*s|", STR_FORMAT(field.name),
                           STR_FORMAT(field.value));
        } else {
            (void)snprintf(out + length, capacity - length, "!|");
        }
    }
    arena_release(&arena);
}

static void fields_are_decoded(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"&&", ""},
        {"a=1", "a=1|"},
        {"a=1&a=2&b", "a=1|a=2|b=|"},
        {"scope=repository%3Aa%2Fb%3Apull,push", "scope=repository:a/b:pull,push|"},
        {"p=a+b%2Bc", "p=a b+c|"},
        {"a=b=c&=x", "a=b=c|=x|"},
        {"a=%zz&b=1", "!|b=1|"},
        {"a=%00", "!|"},
        {"a=%4", "!|"},
    };
    char out[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_all(rows[i][0], out, sizeof(out));
        assert_string_equal(out, rows[i][1]);
    }
}

static void a_field_that_does_not_fit_is_not_valid(void **state)
{
    struct str rest = STR_LITERAL("a=0123456789");
    struct form_field field = {0};
    struct arena arena;
    bool is_valid = true;

    (void)state;
    arena_init(&arena, 8);
    assert_true(form_next(&rest, &arena, &field, &is_valid));
    assert_false(is_valid);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_decoded),
        cmocka_unit_test(a_field_that_does_not_fit_is_not_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
