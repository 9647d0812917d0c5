#include "tests/support/owner_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "settings/load.h"

enum { TEXTS_MAX_BYTES = 65536 };

void owner_settings_init(const struct settings_table *table, void *values, struct arena *texts)
{
    const struct settings_part part = {table, 0};
    const struct settings_schema schema = {.parts = &part, .count = 1};
    const struct settings_target target = {&schema, values, texts};

    arena_init(texts, TEXTS_MAX_BYTES);
    settings_set_defaults(&target);
}

void owner_settings_assert(const struct settings_table *table, const void *values,
                           const char *problem)
{
    struct problems problems;

    problems_init(&problems);
    table->check(values, &problems);
    assert_true(str_is(problems_lines(&problems), problem));
    problems_release(&problems);
}
