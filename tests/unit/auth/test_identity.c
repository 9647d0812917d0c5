#include "auth/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"

static void an_identity_outlives_what_it_was_made_from(void **state)
{
    char name[] = "jdoe";
    char teams[] = "acme\nother team\n";
    const struct identity fields = {
        .kind = IDENTITY_EMPLOYEE,
        .name = {name, strlen(name)},
        .scopes = STR_LITERAL("uid\n"),
        .teams = {teams, strlen(teams)},
        .expires_ms = 77,
        .is_limited = true,
        .grants = STR_LITERAL("repository:a/b:pull\n"),
        .refusals = STR_LITERAL("repository:a/b:push no\n"),
        .login = STR_LITERAL("fingerprint"),
    };
    struct identity *identity = identity_new(&fields);

    (void)state;
    memset(name, 'x', sizeof(name));
    memset(teams, 'x', sizeof(teams));
    assert_true(str_is(identity->name, "jdoe"));
    assert_true(identity_names_team(identity, str_from("acme")));
    assert_true(identity_names_team(identity, str_from("other team")));
    assert_true(identity_has_scope(identity, "uid"));
    assert_int_equal(identity->expires_ms, 77);
    assert_int_equal(identity->kind, IDENTITY_EMPLOYEE);
    assert_true(identity->is_limited);
    assert_true(str_is(identity->grants, "repository:a/b:pull\n"));
    assert_true(str_is(identity->refusals, "repository:a/b:push no\n"));
    assert_true(str_is(identity->login, "fingerprint"));
    identity_release(identity);
}

static void only_whole_entries_count(void **state)
{
    const struct identity fields = {
        .name = STR_LITERAL("jdoe"),
        .scopes = STR_LITERAL("application.write\n"),
        .teams = STR_LITERAL("acme\nother\n"),
    };
    struct identity *identity = identity_new(&fields);

    (void)state;
    assert_false(identity_names_team(identity, str_from("acm")));
    assert_false(identity_names_team(identity, str_from("acme\nother")));
    assert_false(identity_names_team(identity, str_from("")));
    assert_false(identity_has_scope(identity, "application.write_all"));
    assert_false(identity_has_scope(identity, "application"));
    identity_release(identity);
}

static void a_list_that_is_too_long_grants_nothing(void **state)
{
    struct strbuf teams;
    struct identity fields = {.name = STR_LITERAL("jdoe")};
    struct identity *identity = NULL;

    (void)state;
    strbuf_init(&teams, 2 * (size_t)IDENTITY_LIST_BYTES);
    while (teams.length <= IDENTITY_LIST_BYTES) {
        strbuf_append_text(&teams, "acme\n");
    }
    fields.teams = strbuf_str(&teams);
    identity = identity_new(&fields);
    assert_false(identity_names_team(identity, str_from("acme")));
    identity_release(identity);
    strbuf_release(&teams);
}

static void the_last_reference_frees(void **state)
{
    const struct identity fields = {.name = STR_LITERAL("jdoe")};
    struct identity *identity = identity_new(&fields);

    (void)state;
    assert_ptr_equal(identity_retain(identity), identity);
    identity_release(identity);
    assert_true(str_is(identity->name, "jdoe"));
    identity_release(identity); /* the sanitizer sees a leak, or a use after free */
    identity_release(NULL);
}

static void each_kind_has_a_name(void **state)
{
    enum identity_kind kind = IDENTITY_UNKNOWN;

    (void)state;
    assert_true(identity_kind_parse(str_from("service"), &kind));
    assert_int_equal(kind, IDENTITY_SERVICE);
    assert_false(identity_kind_parse(str_from("servic"), &kind));
    assert_false(identity_kind_parse(str_from(""), &kind));
    assert_string_equal(identity_kind_name(IDENTITY_UNKNOWN), "unknown");
    assert_string_equal(identity_kind_name(IDENTITY_ANONYMOUS), "anonymous");
    assert_string_equal(identity_kind_name(IDENTITY_EMPLOYEE), "employee");
    assert_string_equal(identity_kind_name(IDENTITY_SERVICE), "service");
    assert_string_equal(identity_kind_name(IDENTITY_INSTANCE), "instance");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_outlives_what_it_was_made_from),
        cmocka_unit_test(only_whole_entries_count),
        cmocka_unit_test(a_list_that_is_too_long_grants_nothing),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(each_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
