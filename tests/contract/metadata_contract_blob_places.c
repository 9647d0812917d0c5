#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hasher.h"
#include "metadata/blob_places.h"

static struct blob_place_record place_of(const char *content, const char *location)
{
    return (struct blob_place_record){
        .digest = hasher_digest_of(DIGEST_SHA256, str_from(content)),
        .location = str_from(location),
        .size_bytes = UINT64_C(5000000000),
        .created_ms = 1000,
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
    assert_int_equal(found.created_ms, 1000);
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

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_blob_places(void)
{
    const struct CMUnitTest metadata_contract_blob_places[] = {
        TEST(a_place_is_found_by_its_digest),
        TEST(the_first_place_stays),
        TEST(a_digest_without_a_place_is_not_found),
    };

    return cmocka_run_group_tests(metadata_contract_blob_places, NULL, NULL);
}
