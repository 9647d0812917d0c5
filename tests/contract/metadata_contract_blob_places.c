#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "metadata/blob_places.h"
#include "metadata/swept_blobs.h"

static struct blob_place_record place_of(const char *content, const char *location)
{
    return (struct blob_place_record){
        .digest = hasher_digest_of(DIGEST_SHA256, str_from(content)),
        .location = str_from(location),
        .size_bytes = UINT64_C(5000000000),
        .touched_ms = 1000,
    };
}

static void a_place_is_found_by_its_digest(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct blob_place_record one = place_of("one", "uploads/id/once");
    struct blob_place_record found;

    assert_int_equal(metadata_add_blob_place(fixture->metadata, &one, NULL), OK);
    metadata_fixture_reopen(fixture);
    assert_int_equal(
        metadata_find_blob_place(fixture->metadata, &one.digest, &fixture->arena, &found, NULL),
        OK);
    assert_true(digest_equal(&found.digest, &one.digest));
    assert_true(str_is(found.location, "uploads/id/once"));
    assert_int_equal(found.size_bytes, one.size_bytes);
    assert_int_equal(found.touched_ms, 1000);
}

static void the_first_place_stays(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct blob_place_record first = place_of("one", "first");
    const struct blob_place_record second = place_of("one", "second");
    struct blob_place_record found;

    assert_int_equal(metadata_add_blob_place(fixture->metadata, &first, NULL), OK);
    assert_int_equal(metadata_add_blob_place(fixture->metadata, &second, NULL), OK);
    assert_int_equal(
        metadata_find_blob_place(fixture->metadata, &first.digest, &fixture->arena, &found, NULL),
        OK);
    assert_true(str_is(found.location, "first"));
}

static void a_digest_without_a_place_is_not_found(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct blob_place_record one = place_of("one", "first");
    const struct blob_place_record two = place_of("two", "");
    struct blob_place_record found;
    struct error err = {0};

    assert_int_equal(metadata_add_blob_place(fixture->metadata, &one, NULL), OK);
    assert_int_equal(
        metadata_find_blob_place(fixture->metadata, &two.digest, &fixture->arena, &found, &err),
        ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_BLOB);
}

static void add(struct metadata_fixture *fixture, const char *content, const char *location)
{
    const struct blob_place_record place = place_of(content, location);

    assert_int_equal(metadata_add_blob_place(fixture->metadata, &place, NULL), OK);
}

/* A manifest that is the content, so that the content is named. */
static void name(struct metadata_fixture *fixture, const char *content)
{
    (void)push_text(fixture, "team/app", NULL, content);
}

/* Those that were touched before 2000. */
static struct blob_place_list list_unnamed(struct metadata_fixture *fixture,
                                           const struct digest *after)
{
    const struct unnamed_place_query query = {after, 2000, &fixture->arena};
    struct blob_place_list list = {0};

    assert_int_equal(metadata_list_unnamed_places(fixture->metadata, &query, &list, NULL), OK);
    return list;
}

/* Of a list; returns how many were swept, that is, stay in it. */
static size_t sweep(struct metadata_fixture *fixture, struct blob_place_list *list)
{
    const struct place_sweep sweep = {list, 2000, 3000};

    assert_int_equal(metadata_sweep_places(fixture->metadata, &sweep, NULL), OK);
    return list->count;
}

static bool has_place(struct metadata_fixture *fixture, const char *content)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from(content));
    struct blob_place_record found;
    const enum error_code code =
        metadata_find_blob_place(fixture->metadata, &digest, &fixture->arena, &found, NULL);

    assert_true(code == OK || code == ERROR_NOT_FOUND);
    return code == OK;
}

static size_t count_swept(struct metadata_fixture *fixture, const char *after)
{
    struct blob_place_list list = {0};

    assert_int_equal(metadata_list_swept_places(fixture->metadata, str_from(after), &fixture->arena,
                                                &list, NULL),
                     OK);
    return list.count;
}

static void a_place_that_is_touched_is_young(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = place_of("one", "").digest;
    const struct digest none = place_of("none", "").digest;
    struct blob_place_list list;
    struct error err = {0};

    add(fixture, "one", "first");
    list = list_unnamed(fixture, NULL);
    assert_int_equal(list.count, 1);
    assert_int_equal(metadata_touch_blob_place(fixture->metadata, &digest, 1000000, NULL), OK);
    assert_int_equal(list_unnamed(fixture, NULL).count, 0);
    assert_int_equal(sweep(fixture, &list), 0);
    assert_true(has_place(fixture, "one"));
    assert_int_equal(metadata_touch_blob_place(fixture->metadata, &none, 1000000, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_BLOB);
}

static void a_place_that_is_added_again_is_young(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct blob_place_record again = place_of("one", "second");

    add(fixture, "one", "first");
    again.touched_ms = 5000;
    assert_int_equal(metadata_add_blob_place(fixture->metadata, &again, NULL), OK);
    assert_int_equal(list_unnamed(fixture, NULL).count, 0);
}

static void unnamed_places_are_listed_in_order(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct blob_place_list list;
    struct digest first;

    add(fixture, "one", "1");
    add(fixture, "two", "2");
    add(fixture, "named", "3");
    name(fixture, "named");
    list = list_unnamed(fixture, NULL);
    assert_int_equal(list.count, 2);
    first = list.places[0].digest;
    list = list_unnamed(fixture, &first);
    assert_int_equal(list.count, 1);
    assert_false(digest_equal(&list.places[0].digest, &first));
    assert_int_equal(list_unnamed(fixture, &list.places[0].digest).count, 0);
}

static void a_swept_blob_has_no_place_until_it_gets_another(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct blob_place_record one = place_of("one", "first");
    enum blob_standing standing = BLOB_NAMED;
    struct blob_place_list list;
    struct error err = {0};

    add(fixture, "one", "first");
    list = list_unnamed(fixture, NULL);
    assert_int_equal(sweep(fixture, &list), 1);
    assert_true(str_is(list.places[0].location, "first"));
    assert_false(has_place(fixture, "one"));
    assert_int_equal(metadata_add_blob_place(fixture->metadata, &one, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    assert_int_equal(metadata_find_blob_standing(fixture->metadata, &one.digest, &standing, NULL),
                     OK);
    assert_int_equal(standing, BLOB_SWEPT);
    add(fixture, "one", "second");
    assert_int_equal(metadata_find_blob_standing(fixture->metadata, &one.digest, &standing, NULL),
                     OK);
    assert_int_equal(standing, BLOB_UNNAMED);
}

static void a_place_that_was_named_since_it_was_listed_stays(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct blob_place_list list;

    add(fixture, "one", "first");
    list = list_unnamed(fixture, NULL);
    name(fixture, "one");
    assert_int_equal(sweep(fixture, &list), 0);
    assert_true(has_place(fixture, "one"));
    assert_int_equal(count_swept(fixture, ""), 0);
}

static void bytes_of_two_digests_are_not_swept(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct blob_place_list list;

    add(fixture, "sha256", "first");
    add(fixture, "sha512", "first");
    list = list_unnamed(fixture, NULL);
    assert_int_equal(list.count, 2);
    assert_int_equal(sweep(fixture, &list), 0);
}

static void what_was_swept_is_listed_until_it_is_removed(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct blob_place_list list;
    bool is_first = false;

    add(fixture, "one", "1");
    add(fixture, "two", "2");
    list = list_unnamed(fixture, NULL);
    assert_int_equal(sweep(fixture, &list), 2);
    assert_int_equal(count_swept(fixture, ""), 2);
    assert_int_equal(count_swept(fixture, "1"), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            metadata_end_swept_place(fixture->metadata, str_from("1"), 4000, &is_first, NULL), OK);
        assert_int_equal(is_first, i == 0);
    }
    assert_int_equal(count_swept(fixture, ""), 1);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_blob_places(void)
{
    const struct CMUnitTest metadata_contract_blob_places[] = {
        TEST(a_place_is_found_by_its_digest),
        TEST(the_first_place_stays),
        TEST(a_digest_without_a_place_is_not_found),
        TEST(a_place_that_is_touched_is_young),
        TEST(a_place_that_is_added_again_is_young),
        TEST(unnamed_places_are_listed_in_order),
        TEST(a_swept_blob_has_no_place_until_it_gets_another),
        TEST(a_place_that_was_named_since_it_was_listed_stays),
        TEST(bytes_of_two_digests_are_not_swept),
        TEST(what_was_swept_is_listed_until_it_is_removed),
    };

    return cmocka_run_group_tests(metadata_contract_blob_places, NULL, NULL);
}
