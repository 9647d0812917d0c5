#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "metadata/uploads.h"

static void save(struct metadata_fixture *fixture, const char *id, uint64_t offset,
                 int64_t updated_ms)
{
    const struct upload_record upload = {
        .id = str_from(id),
        .repository = str_from("team/app"),
        .created_by = str_from("somebody"),
        .offset_bytes = offset,
        .login = {"l\0g", 3},
        .login_ends_ms = 700,
        .state = {"a\0b", 3},
        .created_ms = 500,
        .updated_ms = updated_ms,
    };

    assert_int_equal(metadata_save_upload(fixture->metadata, &upload, NULL), OK);
}

static void an_upload_rests_and_goes_on(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct upload_record found;

    save(fixture, "one", 0, 1000);
    save(fixture, "one", 77, 2000);
    metadata_fixture_reopen(fixture);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &fixture->arena, &found, NULL),
                     OK);
    assert_int_equal(found.offset_bytes, 77);
    assert_int_equal(found.state.length, 3);
    assert_memory_equal(found.state.bytes, "a\0b", 3);
    assert_true(str_is(found.created_by, "somebody"));
    assert_int_equal(found.login.length, 3);
    assert_memory_equal(found.login.bytes, "l\0g", 3);
    assert_int_equal(found.login_ends_ms, 700);
    assert_int_equal(found.created_ms, 500);
    assert_int_equal(found.updated_ms, 2000);
}

static void an_upload_keeps_who_began_it_and_where(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct upload_record other = {
        .id = str_from("one"),
        .repository = str_from("team/other"),
        .created_by = str_from("somebody else"),
        .offset_bytes = INT64_MAX,
        .state = {"", 0},
        .created_ms = 600,
        .updated_ms = 2000,
    };
    struct upload_record found;

    save(fixture, "one", 77, 1000);
    assert_int_equal(metadata_save_upload(fixture->metadata, &other, NULL), OK);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &fixture->arena, &found, NULL),
                     OK);
    assert_true(str_is(found.id, "one"));
    assert_true(str_is(found.repository, "team/app"));
    assert_true(str_is(found.created_by, "somebody"));
    assert_int_equal(found.created_ms, 500);
    assert_true(found.offset_bytes == INT64_MAX);
    assert_int_equal(found.state.length, 0);
    assert_int_equal(found.updated_ms, 2000);
}

static void assert_tail(struct metadata_fixture *fixture, uint64_t offset, const char *expected)
{
    CLEANUP(strbuf_release) struct strbuf tail;

    strbuf_init(&tail, 1000);
    assert_int_equal(
        metadata_read_upload_tail(fixture->metadata, str_from("one"), offset, &tail, NULL), OK);
    assert_string_equal(tail.text, expected);
}

static void the_tail_of_an_upload_stays_until_there_is_another(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct upload_record upload = {
        .id = str_from("one"),
        .repository = str_from("team/app"),
        .created_by = str_from("somebody"),
        .is_tail_new = true,
        .tail = str_from("tail"),
        .offset_bytes = 10,
    };

    assert_int_equal(metadata_save_upload(fixture->metadata, &upload, NULL), OK);
    assert_tail(fixture, 10, "tail");
    assert_tail(fixture, 9, ""); /* somebody else went on */
    upload.is_tail_new = false;
    upload.tail = str_from("");
    assert_int_equal(metadata_save_upload(fixture->metadata, &upload, NULL), OK);
    metadata_fixture_reopen(fixture);
    assert_tail(fixture, 10, "tail");
    upload.is_tail_new = true;
    upload.offset_bytes = 20;
    assert_int_equal(metadata_save_upload(fixture->metadata, &upload, NULL), OK);
    assert_tail(fixture, 20, "");
    upload.tail = str_from("tail");
    assert_int_equal(metadata_save_upload(fixture->metadata, &upload, NULL), OK);
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("one"), NULL), OK);
    assert_tail(fixture, 20, "");
    save(fixture, "one", 20, 1000); /* another one: nothing of the former is left */
    assert_tail(fixture, 20, "");
}

static void an_upload_that_is_removed_leaves_the_others(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct upload_record found;

    save(fixture, "one", 1, 1000);
    save(fixture, "two", 2, 1000);
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("one"), NULL), OK);
    metadata_fixture_reopen(fixture);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &fixture->arena, &found, NULL),
                     ERROR_NOT_FOUND);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("two"),
                                          &fixture->arena, &found, NULL),
                     OK);
    assert_int_equal(found.offset_bytes, 2);
}

static void an_upload_is_found_in_its_repository_only(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct upload_record found;
    struct error err = {0};

    save(fixture, "one", 0, 1000);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/other"),
                                          str_from("one"), &fixture->arena, &found, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("one"), NULL), OK);
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("one"), NULL), OK);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &fixture->arena, &found, NULL),
                     ERROR_NOT_FOUND);
}

static void stale_uploads_are_listed_oldest_first(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct stale_upload_query query = {3000, 10, &fixture->arena};
    struct upload_list list;

    save(fixture, "new", 0, 3000);
    save(fixture, "old", 0, 2000);
    save(fixture, "oldest", 0, 1000);
    assert_int_equal(metadata_list_stale_uploads(fixture->metadata, &query, &list, NULL), OK);
    assert_int_equal(list.count, 2);
    assert_true(str_is(list.uploads[0].id, "oldest"));
    assert_true(str_is(list.uploads[1].id, "old"));
    assert_true(str_is(list.uploads[0].repository, "team/app"));
    query.limit = 1;
    assert_int_equal(metadata_list_stale_uploads(fixture->metadata, &query, &list, NULL), OK);
    assert_int_equal(list.count, 1);
    assert_true(str_is(list.uploads[0].id, "oldest"));
    save(fixture, "oldest", 1, 4000);
    assert_int_equal(metadata_list_stale_uploads(fixture->metadata, &query, &list, NULL), OK);
    assert_true(str_is(list.uploads[0].id, "old"));
}

/* Wherever the memory ends, that is what is said, and nothing is given. */
static void uploads_that_do_not_fit_are_too_large(void **state)
{
    struct metadata_fixture *fixture = *state;
    enum error_code codes[] = {ERROR_TOO_LARGE, ERROR_TOO_LARGE};

    save(fixture, "one", 0, 1000);
    for (size_t limit_bytes = 0; codes[0] || codes[1]; limit_bytes += 16) {
        struct arena small;
        const struct stale_upload_query query = {3000, 1, &small};
        struct upload_record found = {.offset_bytes = 42};
        struct upload_list list = {.count = 42};

        arena_init(&small, limit_bytes);
        codes[0] = metadata_list_stale_uploads(fixture->metadata, &query, &list, NULL);
        arena_release(&small);
        codes[1] = metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                        &small, &found, NULL);
        arena_release(&small);
        assert_int_equal(list.count, codes[0] ? 42 : 1);
        assert_int_equal(found.offset_bytes, codes[1] ? 42 : 0);
        assert_true(codes[0] == OK || codes[0] == ERROR_TOO_LARGE);
        assert_true(codes[1] == OK || codes[1] == ERROR_TOO_LARGE);
    }
}

static enum error_code ask_owner(struct metadata_fixture *fixture,
                                 const struct upload_owner_query *query)
{
    struct str owner = {0};
    const enum error_code code =
        metadata_find_upload_owner(fixture->metadata, query, &fixture->arena, &owner, NULL);

    if (!code) {
        assert_true(str_is(owner, "somebody"));
    }
    return code;
}

static enum error_code find_owner(struct metadata_fixture *fixture, const char *repository,
                                  const char *created_by, struct str login, int64_t since_ms)
{
    const struct upload_owner_query query = {
        .repository = str_from(repository),
        .created_by = str_from(created_by),
        .created_before_ms = INT64_MAX,
        .login = login,
        .updated_since_ms = since_ms,
    };

    return ask_owner(fixture, &query);
}

static void an_uploads_owner_is_found_by_name_or_login(void **state)
{
    const struct str login = {"l\0g", 3};
    const struct str other = {"l\0h", 3};
    const struct str none = {0};
    struct metadata_fixture *fixture = *state;

    save(fixture, "one", 0, 1000);
    assert_int_equal(find_owner(fixture, "team/app", "somebody", none, 1000), OK);
    assert_int_equal(find_owner(fixture, "team/app", "", login, 1000), OK);
    assert_int_equal(find_owner(fixture, "team/app", "somebody else", login, 1000), OK);
    assert_int_equal(find_owner(fixture, "team/app", "", none, 1000), ERROR_NOT_FOUND);
    assert_int_equal(find_owner(fixture, "team/app", "", other, 1000), ERROR_NOT_FOUND);
    assert_int_equal(find_owner(fixture, "team/app", "somebody else", none, 0), ERROR_NOT_FOUND);
    assert_int_equal(find_owner(fixture, "team/other", "somebody", login, 0), ERROR_NOT_FOUND);
    assert_int_equal(find_owner(fixture, "team/app", "somebody", login, 1001), ERROR_NOT_FOUND);
}

/* It began at 500 with a login that ended at 700. */
static void an_uploads_owner_had_a_login_that_was_good(void **state)
{
    static const struct {
        const char *created_by;
        int64_t created_before_ms;
        int64_t login_ended_since_ms;
        int64_t created_since_ms;
        enum error_code code;
    } rows[] = {
        {"somebody", 501, 0, 500, OK},
        {"somebody", 500, 701, 0, ERROR_NOT_FOUND},
        {"somebody", 501, 0, 501, ERROR_NOT_FOUND},
        {"", 0, 700, 500, OK},
        {"", 0, 701, 500, ERROR_NOT_FOUND},
        {"", 0, 700, 501, ERROR_NOT_FOUND},
    };
    struct metadata_fixture *fixture = *state;

    save(fixture, "one", 0, 1000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct upload_owner_query query = {
            .repository = str_from("team/app"),
            .created_by = str_from(rows[i].created_by),
            .created_before_ms = rows[i].created_before_ms,
            .login = {"l\0g", 3},
            .login_ended_since_ms = rows[i].login_ended_since_ms,
            .created_since_ms = rows[i].created_since_ms,
        };

        assert_int_equal(ask_owner(fixture, &query), rows[i].code);
    }
}

static void end(struct metadata_fixture *fixture, const char *id, const struct digest *digest,
                int64_t ended_ms)
{
    const struct upload_ending ending = {str_from(id), digest, ended_ms};

    assert_int_equal(metadata_end_upload(fixture->metadata, &ending, NULL), OK);
}

static enum error_code find_ended(struct metadata_fixture *fixture, const char *repository,
                                  const char *id, struct ended_upload *ended_out)
{
    struct error err = {0};
    const enum error_code code = metadata_find_ended_upload(
        fixture->metadata, str_from(repository), str_from(id), &fixture->arena, ended_out, &err);

    assert_int_equal(err.topic, code ? ABOUT_UPLOAD : ABOUT_NOTHING);
    return code;
}

static void what_became_of_an_upload_is_known_in_its_repository(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = hasher_digest_of(DIGEST_SHA512, str_from("content"));
    struct ended_upload ended = {.is_blob = false};
    struct upload_record found;

    save(fixture, "one", 77, 1000);
    assert_int_equal(find_ended(fixture, "team/app", "one", &ended), ERROR_NOT_FOUND);
    end(fixture, "one", &digest, 2000);
    metadata_fixture_reopen(fixture);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &fixture->arena, &found, NULL),
                     ERROR_NOT_FOUND);
    assert_int_equal(find_ended(fixture, "team/other", "one", &ended), ERROR_NOT_FOUND);
    assert_int_equal(find_ended(fixture, "team/app", "one", &ended), OK);
    assert_true(ended.is_blob);
    assert_true(digest_equal(&ended.digest, &digest));
    assert_true(str_is(ended.upload.id, "one"));
    assert_true(str_is(ended.upload.repository, "team/app"));
    assert_true(str_is(ended.upload.created_by, "somebody"));
    assert_memory_equal(ended.upload.login.bytes, "l\0g", 3);
    assert_int_equal(ended.upload.login_ends_ms, 700);
    assert_int_equal(ended.upload.created_ms, 500);
    assert_int_equal(ended.upload.updated_ms, 2000);
}

static void upload_ends_once(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("content"));
    struct ended_upload ended = {.is_blob = true};

    end(fixture, "never there", &digest, 2000);
    assert_int_equal(find_ended(fixture, "team/app", "never there", &ended), ERROR_NOT_FOUND);
    save(fixture, "one", 77, 1000);
    end(fixture, "one", NULL, 2000);
    end(fixture, "one", &digest, 3000);
    assert_int_equal(find_ended(fixture, "team/app", "one", &ended), OK);
    assert_false(ended.is_blob);
    assert_int_equal(ended.upload.updated_ms, 2000);
}

static void ended_uploads_are_forgotten_oldest_first(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct ended_upload ended;

    save(fixture, "new", 0, 1000);
    save(fixture, "old", 0, 1000);
    save(fixture, "oldest", 0, 1000);
    end(fixture, "new", NULL, 3000);
    end(fixture, "old", NULL, 2999);
    end(fixture, "oldest", NULL, 2000);
    assert_int_equal(metadata_forget_ended_uploads(fixture->metadata, 3000, 1, NULL), OK);
    assert_int_equal(find_ended(fixture, "team/app", "oldest", &ended), ERROR_NOT_FOUND);
    assert_int_equal(find_ended(fixture, "team/app", "old", &ended), OK);
    assert_int_equal(metadata_forget_ended_uploads(fixture->metadata, 3000, 10, NULL), OK);
    assert_int_equal(find_ended(fixture, "team/app", "old", &ended), ERROR_NOT_FOUND);
    assert_int_equal(find_ended(fixture, "team/app", "new", &ended), OK);
}

/* Wherever the memory ends, that is what is said, and nothing is given. */
static void ended_upload_that_does_not_fit_is_too_large(void **state)
{
    struct metadata_fixture *fixture = *state;
    enum error_code code = ERROR_TOO_LARGE;

    save(fixture, "one", 0, 1000);
    end(fixture, "one", NULL, 2000);
    for (size_t limit_bytes = 0; code; limit_bytes += 16) {
        struct arena small;
        struct ended_upload ended = {.is_blob = true};

        arena_init(&small, limit_bytes);
        code = metadata_find_ended_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &small, &ended, NULL);
        arena_release(&small);
        assert_true(code == OK || code == ERROR_TOO_LARGE);
        assert_int_equal(ended.is_blob, code != OK);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

static void save_for(struct metadata_fixture *fixture, const char *id, const char *repository,
                     const char *created_by, uint64_t offset_bytes)
{
    const struct upload_record upload = {
        .id = str_from(id),
        .repository = str_from(repository),
        .created_by = str_from(created_by),
        .offset_bytes = offset_bytes,
    };

    assert_int_equal(metadata_save_upload(fixture->metadata, &upload, NULL), OK);
}

static void assert_sums(struct metadata_fixture *fixture, struct upload_sum of_identity,
                        struct upload_sum of_team)
{
    struct upload_sums sums;

    assert_int_equal(
        metadata_sum_uploads(fixture->metadata, str_from("jdoe"), str_from("team"), &sums, NULL),
        OK);
    assert_int_equal(sums.of_identity.uploads, of_identity.uploads);
    assert_int_equal(sums.of_identity.bytes, of_identity.bytes);
    assert_int_equal(sums.of_team.uploads, of_team.uploads);
    assert_int_equal(sums.of_team.bytes, of_team.bytes);
}

static void uploads_are_summed_by_identity_and_team(void **state)
{
    struct metadata_fixture *fixture = *state;

    assert_sums(fixture, (struct upload_sum){0, 0}, (struct upload_sum){0, 0});
    save_for(fixture, "one", "team/app", "jdoe", 0);
    save_for(fixture, "two", "team/other", "somebody", 20);
    save_for(fixture, "three", "teams/app", "jdoe", 3);
    save_for(fixture, "one", "team/app", "jdoe", 100);
    save_for(fixture, "one", "team/app", "jdoe", 100);
    assert_sums(fixture, (struct upload_sum){2, 103}, (struct upload_sum){2, 120});
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("one"), NULL), OK);
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("one"), NULL), OK);
    assert_sums(fixture, (struct upload_sum){1, 3}, (struct upload_sum){1, 20});
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("two"), NULL), OK);
    assert_sums(fixture, (struct upload_sum){1, 3}, (struct upload_sum){0, 0});
}

static enum error_code go_on(struct metadata_fixture *fixture, uint64_t from_bytes,
                             uint64_t offset_bytes, struct error *err)
{
    const struct upload_record upload = {
        .id = str_from("one"),
        .repository = str_from("team/app"),
        .goes_on = true,
        .from_bytes = from_bytes,
        .offset_bytes = offset_bytes,
        .state = str_from("went on"),
        .is_tail_new = true,
        .tail = str_from("tail"),
        .updated_ms = 2000,
    };

    return metadata_save_upload(fixture->metadata, &upload, err);
}

static void an_upload_goes_on_from_where_it_is_alone(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct upload_record found;
    struct error err = {0};

    save(fixture, "one", 10, 1000);
    assert_int_equal(go_on(fixture, 9, 20, &err), ERROR_CONFLICT);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    assert_tail(fixture, 10, "");
    assert_int_equal(go_on(fixture, 10, 20, NULL), OK);
    assert_int_equal(go_on(fixture, 10, 20, NULL), OK); /* its commit was not heard of */
    assert_int_equal(go_on(fixture, 10, 30, NULL), ERROR_CONFLICT); /* the second of two */
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &fixture->arena, &found, NULL),
                     OK);
    assert_int_equal(found.offset_bytes, 20);
    assert_int_equal(found.updated_ms, 2000);
    assert_true(str_is(found.state, "went on"));
    assert_true(str_is(found.created_by, "somebody"));
    assert_tail(fixture, 20, "tail");
}

static void an_upload_that_is_gone_does_not_come_back(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct upload_record found;
    struct error err = {0};

    save(fixture, "one", 10, 1000);
    assert_int_equal(metadata_remove_upload(fixture->metadata, str_from("one"), NULL), OK);
    assert_int_equal(go_on(fixture, 10, 20, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    assert_int_equal(metadata_find_upload(fixture->metadata, str_from("team/app"), str_from("one"),
                                          &fixture->arena, &found, NULL),
                     ERROR_NOT_FOUND);
}

static void an_upload_that_is_touched_is_not_stale(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct stale_upload_query query = {3000, 10, &fixture->arena};
    struct upload_list list;

    save(fixture, "one", 10, 1000);
    save(fixture, "two", 10, 1000);
    assert_int_equal(metadata_touch_upload(fixture->metadata, str_from("one"), 3000, NULL), OK);
    assert_int_equal(metadata_touch_upload(fixture->metadata, str_from("one"), 2000, NULL), OK);
    assert_int_equal(metadata_touch_upload(fixture->metadata, str_from("gone"), 3000, NULL), OK);
    assert_int_equal(metadata_list_stale_uploads(fixture->metadata, &query, &list, NULL), OK);
    assert_int_equal(list.count, 1);
    assert_true(str_is(list.uploads[0].id, "two"));
}

int metadata_contract_run_uploads(void)
{
    const struct CMUnitTest metadata_contract_uploads[] = {
        TEST(an_upload_rests_and_goes_on),
        TEST(an_upload_keeps_who_began_it_and_where),
        TEST(the_tail_of_an_upload_stays_until_there_is_another),
        TEST(an_upload_goes_on_from_where_it_is_alone),
        TEST(an_upload_that_is_gone_does_not_come_back),
        TEST(an_upload_that_is_touched_is_not_stale),
        TEST(an_upload_is_found_in_its_repository_only),
        TEST(an_upload_that_is_removed_leaves_the_others),
        TEST(an_uploads_owner_is_found_by_name_or_login),
        TEST(an_uploads_owner_had_a_login_that_was_good),
        TEST(stale_uploads_are_listed_oldest_first),
        TEST(uploads_that_do_not_fit_are_too_large),
        TEST(uploads_are_summed_by_identity_and_team),
        TEST(what_became_of_an_upload_is_known_in_its_repository),
        TEST(upload_ends_once),
        TEST(ended_uploads_are_forgotten_oldest_first),
        TEST(ended_upload_that_does_not_fit_is_too_large),
    };

    return cmocka_run_group_tests(metadata_contract_uploads, NULL, NULL);
}
