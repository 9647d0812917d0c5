#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/contract/metadata_contract.h"

/* A row of the test's own for each change, as an audit would keep it. */
struct witness {
    struct metadata_fixture *fixture;
    struct push_companion companion;
    enum error_code fails_with; /* behind its row */
    int64_t rows;               /* that there are before its own */
    size_t calls;
    struct push_change seen; /* borrows from the push */
    struct digest seen_old;
};

static enum error_code count_rows(struct sql_connection *connection, int64_t *count_out,
                                  struct error *err)
{
    static const struct sql_query query = {.text = "select count(*) from witness"};
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;

    assert_int_equal(sql_query_row(connection, &query, &rows, &is_row, err), OK);
    assert_true(is_row);
    *count_out = sql_rows_column(rows, 0).integer;
    return OK;
}

static enum error_code write_row(struct sql_connection *connection,
                                 const struct push_change *change, void *context, struct error *err)
{
    struct witness *witness = context;
    const struct sql_query query = {
        .text = "insert into witness (repository) values ($1)",
        .values = {sql_text(change->repository)},
        .count = 1,
    };

    witness->calls++;
    witness->seen = *change;
    witness->seen_old = change->old_digest ? *change->old_digest : (struct digest){0};
    assert_int_equal(
        sql_script(connection, "create table if not exists witness (repository text)", err), OK);
    assert_int_equal(count_rows(connection, &witness->rows, err), OK);
    assert_int_equal(sql_run(connection, &query, err), OK);
    return witness->fails_with ? error_set(err, witness->fails_with, "the witness refuses") : OK;
}

static struct witness new_witness(struct metadata_fixture *fixture)
{
    return (struct witness){.fixture = fixture, .companion = {.join = write_row}};
}

static enum error_code push_with(struct witness *witness, struct manifest_push push,
                                 enum push_outcome *outcome_out, struct error *err)
{
    struct tag_found found[PUSH_TAGS_MAX];

    witness->companion.context = witness;
    push.companion = &witness->companion;
    return metadata_push_manifest(witness->fixture->metadata, &push, outcome_out, found, err);
}

static void must_push_with(struct witness *witness, struct manifest_push push)
{
    enum push_outcome outcome = PUSH_TAG_TAKEN;

    assert_int_equal(push_with(witness, push, &outcome, NULL), OK);
    assert_int_equal(outcome, PUSH_DONE);
}

/* By one more push, whose own row does not count. */
static int64_t rows_of(struct witness *witness)
{
    struct witness counting = new_witness(witness->fixture);

    must_push_with(&counting, push_of("team/count", NULL, "count"));
    assert_int_equal(counting.calls, 1);
    return counting.rows;
}

static void what_joins_a_push_is_committed_with_it(void **state)
{
    struct witness witness = new_witness(*state);
    const struct manifest_push push = push_of("team/app", "1.0", "content");

    must_push_with(&witness, push);
    assert_int_equal(witness.calls, 1);
    assert_true(str_is(witness.seen.repository, "team/app"));
    assert_true(str_is(witness.seen.tag, "1.0"));
    assert_null(witness.seen.old_digest);
    assert_true(digest_equal(&witness.seen.new_digest, &push.manifest.digest));
    assert_true(str_is(witness.seen.changed_by.kind, "employee"));
    assert_true(str_is(witness.seen.changed_by.name, "somebody"));
    assert_int_equal(witness.seen.changed_ms, push.created_ms);
    metadata_fixture_reopen(witness.fixture);
    assert_int_equal(rows_of(&witness), 1);
}

static void a_move_is_told_with_where_the_tag_was(void **state)
{
    struct witness witness = new_witness(*state);
    struct manifest_push first = push_of("team/app", "1-SNAPSHOT", "first");
    struct manifest_push second = push_of("team/app", "1-SNAPSHOT", "second");

    first.tags[0].kind = second.tags[0].kind = TAG_SNAPSHOT;
    second.tags[0].replaces = &first.manifest.digest;
    must_push_with(&witness, first);
    must_push_with(&witness, second);
    assert_int_equal(witness.calls, 2);
    assert_non_null(witness.seen.old_digest);
    assert_true(digest_equal(&witness.seen_old, &first.manifest.digest));
    assert_true(digest_equal(&witness.seen.new_digest, &second.manifest.digest));
}

static void each_of_several_tags_is_told(void **state)
{
    struct witness witness = new_witness(*state);
    struct manifest_push push = push_of("team/app", "1", "content");

    must_push_with(&witness, push);
    push.tags[push.tag_count++].name = str_from("1.0");
    push.tags[push.tag_count++].name = str_from("1.0.0");
    must_push_with(&witness, push);
    assert_int_equal(witness.calls, 3);
    assert_true(str_is(witness.seen.tag, "1.0.0"));
    assert_null(witness.seen.old_digest);
}

static void a_push_by_digest_has_no_tag(void **state)
{
    struct witness witness = new_witness(*state);

    must_push_with(&witness, push_of("team/app", NULL, "content"));
    assert_int_equal(witness.calls, 1);
    assert_int_equal(witness.seen.tag.length, 0);
    assert_null(witness.seen.old_digest);
    must_push_with(&witness, push_of("team/app", "1.0", "content"));
    assert_int_equal(witness.calls, 2);
    assert_true(str_is(witness.seen.tag, "1.0"));
}

static void nothing_joins_a_push_that_changes_nothing(void **state)
{
    struct witness witness = new_witness(*state);

    for (int i = 0; i < 2; i++) {
        must_push_with(&witness, push_of("team/app", "1.0", "content"));
        must_push_with(&witness, push_of("team/app", NULL, "content"));
    }
    assert_int_equal(witness.calls, 1);
    assert_int_equal(rows_of(&witness), 1);
}

static void nothing_joins_a_push_that_is_refused(void **state)
{
    struct witness witness = new_witness(*state);
    enum push_outcome outcome = PUSH_DONE;

    must_push_with(&witness, push_of("team/app", "1.0", "content"));
    assert_int_equal(push_with(&witness, push_of("team/app", "1.0", "other"), &outcome, NULL), OK);
    assert_int_equal(outcome, PUSH_TAG_TAKEN);
    assert_int_equal(witness.calls, 1);
    assert_int_equal(rows_of(&witness), 1);
}

/* Whatever its error is: a conflict of its own is no tag that is taken. */
static void what_fails_to_join_undoes_the_push(void **state)
{
    static const enum error_code codes[] = {ERROR_INTERNAL, ERROR_CONFLICT, ERROR_NOT_FOUND};
    struct witness witness = new_witness(*state);
    const struct manifest_push push = push_of("team/app", "1.0", "content");

    must_push_with(&witness, push_of("team/other", "1.0", "other"));
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        enum push_outcome outcome = PUSH_DONE;
        struct error err = {0};

        witness.fails_with = codes[i];
        assert_int_equal(push_with(&witness, push, &outcome, &err), codes[i]);
        assert_string_equal(err.message, "the witness refuses");
        assert_false(has_manifest(witness.fixture, "team/app", &push.manifest.digest));
    }
    assert_int_equal(rows_of(&witness), 1);
    witness.fails_with = OK;
    must_push_with(&witness, push);
    assert_true(has_manifest(witness.fixture, "team/app", &push.manifest.digest));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_companions(void)
{
    const struct CMUnitTest metadata_contract_companions[] = {
        TEST(what_joins_a_push_is_committed_with_it),
        TEST(a_move_is_told_with_where_the_tag_was),
        TEST(each_of_several_tags_is_told),
        TEST(a_push_by_digest_has_no_tag),
        TEST(nothing_joins_a_push_that_changes_nothing),
        TEST(nothing_joins_a_push_that_is_refused),
        TEST(what_fails_to_join_undoes_the_push),
    };

    return cmocka_run_group_tests(metadata_contract_companions, NULL, NULL);
}
