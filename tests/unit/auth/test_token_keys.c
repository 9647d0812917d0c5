#include "auth/token_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "metadata/token_keys.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_folder.h"

#define SECRET "0123456789abcdef0123456789abcdef"

struct fixture {
    struct fake_clock clock;
    char *folder;
    struct metadata *metadata;
    struct log log;
    int log_fds[2];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    char path[256];

    fake_clock_init(&fixture.clock);
    fixture.folder = temporary_folder_new();
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", fixture.folder);
    assert_int_equal(metadata_open_sqlite(path, &fixture.metadata, NULL), OK);
    assert_int_equal(pipe(fixture.log_fds), 0);
    log_init(&fixture.log, fixture.log_fds[1], LOG_JSON, LOG_INFO, &fixture.clock.clock);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    (void)close(fixture->log_fds[0]);
    (void)close(fixture->log_fds[1]);
    return 0;
}

static struct token_keys *open_keys(struct fixture *fixture, const char *secret)
{
    const struct token_keys_config config = {
        .metadata = fixture->metadata,
        .secret = str_from(secret),
        .clock = &fixture->clock.clock,
        .log = &fixture->log,
    };
    struct token_keys *keys = NULL;

    assert_int_equal(token_keys_new(&config, &keys, NULL), OK);
    return keys;
}

static size_t count_records(struct fixture *fixture)
{
    struct token_key_list list;
    struct arena arena;

    arena_init(&arena, 65536);
    assert_int_equal(metadata_list_token_keys(fixture->metadata, &arena, &list, NULL), OK);
    arena_release(&arena);
    return list.count;
}

static void a_short_secret_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const struct token_keys_config config = {
        .metadata = fixture->metadata,
        .secret = STR_LITERAL("0123456789abcdef0123456789abcde"),
        .clock = &fixture->clock.clock,
    };
    struct token_keys *keys = NULL;
    struct error err;

    assert_int_equal(token_keys_new(&config, &keys, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "at least 32 bytes"));
}

static void all_instances_have_the_same_keys(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *one = open_keys(fixture, SECRET);
    struct token_keys *other = open_keys(fixture, SECRET);
    struct token_key signer;
    struct token_key found;

    token_keys_signer(one, &signer);
    assert_true(token_keys_find(other, str_from(signer.id), &found));
    assert_memory_equal(signer.bytes, found.bytes, TOKEN_KEY_BYTES);
    token_keys_signer(other, &found);
    assert_string_equal(signer.id, found.id);
    assert_int_equal(count_records(fixture), 1);
    token_keys_free(one);
    token_keys_free(other);
    token_keys_free(NULL);
}

static void what_is_kept_is_sealed(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *keys = open_keys(fixture, SECRET);
    struct token_key_list list;
    struct token_key signer;
    struct arena arena;

    arena_init(&arena, 65536);
    token_keys_signer(keys, &signer);
    assert_int_equal(metadata_list_token_keys(fixture->metadata, &arena, &list, NULL), OK);
    assert_int_equal(list.count, 1);
    for (size_t i = 0; i + 8 <= list.keys[0].sealed.length; i++) {
        assert_memory_not_equal(list.keys[0].sealed.bytes + i, signer.bytes, 8);
    }
    arena_release(&arena);
    token_keys_free(keys);
}

static void a_new_key_signs_each_day_and_old_ones_verify_for_another(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *keys = open_keys(fixture, SECRET);
    struct token_key first;
    struct token_key second;
    struct token_key found;

    token_keys_signer(keys, &first);
    fake_clock_advance(&fixture->clock, TOKEN_KEY_SIGNS_MS - 1);
    assert_int_equal(token_keys_refresh(keys, NULL), OK);
    token_keys_signer(keys, &second);
    assert_string_equal(first.id, second.id);
    fake_clock_advance(&fixture->clock, 1);
    assert_int_equal(token_keys_refresh(keys, NULL), OK);
    assert_int_equal(count_records(fixture), 2);
    fake_clock_advance(&fixture->clock, TOKEN_KEY_SPREADS_MS);
    token_keys_signer(keys, &second);
    assert_string_not_equal(first.id, second.id);
    assert_true(token_keys_find(keys, str_from(first.id), &found));
    fake_clock_advance(&fixture->clock, TOKEN_KEY_SIGNS_MS + 1);
    assert_false(token_keys_find(keys, str_from(first.id), &found));
    assert_int_equal(token_keys_refresh(keys, NULL), OK);
    assert_int_equal(count_records(fixture), 2); /* the first is gone, a third is there */
    assert_true(token_keys_find(keys, str_from(second.id), &found));
    token_keys_free(keys);
}

static void another_instances_new_key_is_found_when_it_is_needed(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *one = open_keys(fixture, SECRET);
    struct token_keys *other = open_keys(fixture, SECRET);
    struct token_key fresh;
    struct token_key found;

    fake_clock_advance(&fixture->clock, TOKEN_KEY_SIGNS_MS);
    assert_int_equal(token_keys_refresh(one, NULL), OK);
    fake_clock_advance(&fixture->clock, TOKEN_KEY_SPREADS_MS);
    token_keys_signer(one, &fresh);
    assert_true(token_keys_find(other, str_from(fresh.id), &found));
    assert_memory_equal(fresh.bytes, found.bytes, TOKEN_KEY_BYTES);
    token_keys_free(one);
    token_keys_free(other);
}

static void a_new_key_signs_when_all_instances_had_time_to_read_it(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *one = open_keys(fixture, SECRET);
    struct token_keys *other = open_keys(fixture, SECRET);
    struct token_key old;
    struct token_key signer;
    struct token_key found;

    token_keys_signer(one, &old);
    fake_clock_advance(&fixture->clock, TOKEN_KEY_SIGNS_MS);
    assert_int_equal(token_keys_refresh(one, NULL), OK);
    fake_clock_advance(&fixture->clock, TOKEN_KEY_SPREADS_MS - 1);
    token_keys_signer(one, &signer);
    assert_string_equal(signer.id, old.id);
    assert_int_equal(token_keys_refresh(other, NULL), OK); /* its housekeeping */
    fake_clock_advance(&fixture->clock, 1);
    token_keys_signer(one, &signer);
    assert_string_not_equal(signer.id, old.id);
    assert_false(token_keys_find(other, str_from("made up"), &found)); /* no other reload now */
    assert_true(token_keys_find(other, str_from(signer.id), &found));
    token_keys_free(one);
    token_keys_free(other);
}

/* Its tokens would end with it. */
static void a_key_that_is_too_old_does_not_sign(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *keys = open_keys(fixture, SECRET);
    struct token_key old;
    struct token_key signer;

    token_keys_signer(keys, &old);
    fake_clock_advance(&fixture->clock, TOKEN_KEY_VERIFIES_MS - 1);
    assert_int_equal(token_keys_refresh(keys, NULL), OK);
    token_keys_signer(keys, &signer);
    assert_string_not_equal(signer.id, old.id);
    token_keys_free(keys);
}

/* Whoever makes up key ids does not make us ask the database for each. */
static void unknown_keys_are_sought_once_a_second(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *one = open_keys(fixture, SECRET);
    struct token_keys *other = open_keys(fixture, SECRET);
    struct token_key fresh;
    struct token_key found;

    assert_false(token_keys_find(other, str_from("made up"), &found));
    fake_clock_advance(&fixture->clock, 999);
    token_keys_signer(one, &fresh);
    metadata_free(fixture->metadata);
    fixture->metadata = NULL;
    assert_false(token_keys_find(other, str_from("made up again"), &found)); /* would crash */
    token_keys_free(one);
    token_keys_free(other);
}

static void keys_of_another_secret_are_passed_over_and_logged(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *one = open_keys(fixture, SECRET);
    struct token_keys *other = open_keys(fixture, "another secret, which is long enough too");
    struct token_key signer;
    struct token_key found;
    char line[1024] = "";

    assert_true(read(fixture->log_fds[0], line, sizeof(line) - 1) > 0);
    assert_non_null(strstr(line, "strange_token_keys"));
    assert_non_null(strstr(line, "auth.secret_file"));
    token_keys_signer(one, &signer);
    assert_false(token_keys_find(other, str_from(signer.id), &found));
    token_keys_signer(other, &found);
    assert_string_not_equal(signer.id, found.id);
    token_keys_free(one);
    token_keys_free(other);
}

static void a_sealed_key_that_was_changed_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *keys = open_keys(fixture, SECRET);
    struct token_key_list list;
    struct token_key found;
    struct arena arena;
    char sealed[256];
    struct token_key_record copy = {.created_ms = 0};

    arena_init(&arena, 65536);
    assert_int_equal(metadata_list_token_keys(fixture->metadata, &arena, &list, NULL), OK);
    memcpy(sealed, list.keys[0].sealed.bytes, list.keys[0].sealed.length);
    copy = list.keys[0];
    copy.sealed.bytes = sealed;
    copy.id = str_from("0123456789abcdef0123456789abcdef"); /* the id is sealed too */
    assert_int_equal(metadata_add_token_key(fixture->metadata, &copy, NULL), OK);
    assert_int_equal(metadata_add_token_key(fixture->metadata, &copy, NULL), ERROR_CONFLICT);
    assert_int_equal(token_keys_refresh(keys, NULL), OK);
    assert_false(token_keys_find(keys, copy.id, &found));
    assert_true(token_keys_find(keys, list.keys[0].id, &found));
    arena_release(&arena);
    token_keys_free(keys);
}

static void revoked_key_verifies_no_more_and_the_generation_grows(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *keys = open_keys(fixture, SECRET);
    struct token_keys *others = open_keys(fixture, SECRET);
    const unsigned long generation = token_keys_generation(others);
    struct token_key old;
    struct token_key key;

    token_keys_signer(keys, &old);
    assert_true(token_keys_find(others, str_from(old.id), &key));
    assert_int_equal(metadata_remove_token_keys(fixture->metadata, INT64_MAX, NULL), OK);
    assert_int_equal(token_keys_refresh(keys, NULL), OK);
    assert_int_equal(token_keys_refresh(others, NULL), OK);
    assert_false(token_keys_find(others, str_from(old.id), &key));
    assert_true(token_keys_generation(others) > generation);
    token_keys_signer(keys, &key);
    assert_true(token_keys_find(others, str_from(key.id), &key));
    token_keys_free(keys);
    token_keys_free(others);
}

static void somebody_signs_though_all_keys_are_just_revoked(void **state)
{
    struct fixture *fixture = *state;
    struct token_keys *keys = open_keys(fixture, SECRET);
    struct token_key old;
    struct token_key key;

    token_keys_signer(keys, &old);
    assert_int_equal(metadata_remove_token_keys(fixture->metadata, INT64_MAX, NULL), OK);
    assert_false(token_keys_find(keys, str_from("unknown"), &key)); /* reads them again */
    token_keys_signer(keys, &key);
    assert_string_equal(key.id, old.id);
    assert_int_equal(token_keys_refresh(keys, NULL), OK);
    token_keys_signer(keys, &key);
    assert_string_not_equal(key.id, old.id);
    token_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_short_secret_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_instances_have_the_same_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_kept_is_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_signs_each_day_and_old_ones_verify_for_another,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_instances_new_key_is_found_when_it_is_needed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_signs_when_all_instances_had_time_to_read_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_is_too_old_does_not_sign, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_keys_are_sought_once_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_of_another_secret_are_passed_over_and_logged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_sealed_key_that_was_changed_is_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(revoked_key_verifies_no_more_and_the_generation_grows,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(somebody_signs_though_all_keys_are_just_revoked, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
