#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metadata/token_keys.h"

static enum error_code add(struct metadata_fixture *fixture, const char *id, int64_t created_ms)
{
    const struct token_key_record key = {str_from(id), created_ms, {"s\0al", 4}};

    return metadata_add_token_key(fixture->metadata, &key, NULL);
}

static struct token_key_list list(struct metadata_fixture *fixture)
{
    struct token_key_list found = {0};

    assert_int_equal(metadata_list_token_keys(fixture->metadata, &fixture->arena, &found, NULL),
                     OK);
    return found;
}

static void keys_are_listed_newest_first(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct token_key_list found = list(fixture);

    assert_int_equal(found.count, 0);
    assert_int_equal(add(fixture, "old", 1000), OK);
    assert_int_equal(add(fixture, "new", 2000), OK);
    metadata_fixture_reopen(fixture);
    found = list(fixture);
    assert_int_equal(found.count, 2);
    assert_true(str_is(found.keys[0].id, "new"));
    assert_int_equal(found.keys[0].created_ms, 2000);
    assert_int_equal(found.keys[0].sealed.length, 4);
    assert_memory_equal(found.keys[0].sealed.bytes, "s\0al", 4);
    assert_true(str_is(found.keys[1].id, "old"));
}

static void no_key_takes_the_place_of_another(void **state)
{
    struct metadata_fixture *fixture = *state;

    assert_int_equal(add(fixture, "one", 1000), OK);
    assert_int_equal(add(fixture, "one", 2000), ERROR_CONFLICT);
    assert_int_equal(list(fixture).keys[0].created_ms, 1000);
}

static void old_keys_are_removed(void **state)
{
    struct metadata_fixture *fixture = *state;

    assert_int_equal(add(fixture, "old", 1000), OK);
    assert_int_equal(add(fixture, "new", 2000), OK);
    assert_int_equal(metadata_remove_token_keys(fixture->metadata, 2000, NULL), OK);
    assert_int_equal(list(fixture).count, 1);
    assert_true(str_is(list(fixture).keys[0].id, "new"));
}

static void a_list_is_bounded(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct token_key_list found = {0};
    struct arena small;
    char id[16];

    for (int i = 0; i <= TOKEN_KEYS_MAX; i++) {
        (void)snprintf(id, sizeof(id), "key%d", i);
        assert_int_equal(add(fixture, id, 1000 + i), OK);
    }
    assert_int_equal(list(fixture).count, TOKEN_KEYS_MAX);
    assert_int_equal(list(fixture).keys[0].created_ms, 1000 + TOKEN_KEYS_MAX);
    arena_init(&small, 16);
    assert_int_equal(metadata_list_token_keys(fixture->metadata, &small, &found, NULL),
                     ERROR_TOO_LARGE);
    arena_release(&small);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_token_keys(void)
{
    const struct CMUnitTest metadata_contract_token_keys[] = {
        TEST(keys_are_listed_newest_first),
        TEST(no_key_takes_the_place_of_another),
        TEST(old_keys_are_removed),
        TEST(a_list_is_bounded),
    };

    return cmocka_run_group_tests(metadata_contract_token_keys, NULL, NULL);
}
