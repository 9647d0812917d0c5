#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/uploads.h"
#include "registry_world.h"

enum { GRACE_MS = 12 * 60 * 60 * 1000 };

#define LOGIN "0123456789abcdef0123456789abcdef"

static struct upload_key key_of(const char *id)
{
    return (struct upload_key){
        .repository = repository_of("team/app"),
        .id = str_from(id),
        .identity = str_from("somebody"),
        .login = str_from(LOGIN),
        .login_ends_ms = INT64_MAX,
    };
}

static int64_t now_ms(struct registry_world *world)
{
    return clock_wall_ms(&world->clock.clock);
}

/* An upload that rests with that content; its id lives as long as the test. */
static const char *rest_with(struct registry_world *world, const struct upload_key *key,
                             const char *content)
{
    struct upload *upload = NULL;
    const char *id = NULL;

    assert_int_equal(upload_begin(world->registry, key, DIGEST_SHA256, &upload, NULL), OK);
    id = arena_text(&world->arena, upload_id(upload));
    assert_int_equal(upload_write(upload, str_from(content), NULL), OK);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    upload_close(upload);
    return id;
}

static const char *rest(struct registry_world *world, const char *content)
{
    const struct upload_key key = key_of("");

    return rest_with(world, &key, content);
}

/* Goes on with it: writes, and lets it rest. */
static enum error_code go_on(struct registry_world *world, const struct upload_key *key)
{
    struct upload *upload = NULL;
    enum error_code code = OK;

    world->err = (struct error){0};
    code = upload_open(world->registry, key, &upload, &world->err);
    if (!code) {
        assert_int_equal(upload_write(upload, str_from("more"), NULL), OK);
        assert_int_equal(upload_suspend(upload, NULL), OK);
        upload_close(upload);
    }
    return code;
}

/* Ends it as a blob of its content, or (NULL) by giving it up. */
static void end(struct registry_world *world, const char *id, const char *content)
{
    const struct upload_key key = key_of(id);
    struct upload *upload = NULL;

    assert_int_equal(upload_open(world->registry, &key, &upload, NULL), OK);
    if (content) {
        const struct digest digest = digest_of(content);

        assert_int_equal(upload_commit(upload, &digest, NULL), OK);
    } else {
        assert_int_equal(upload_cancel(upload, NULL), OK);
    }
    upload_close(upload);
}

static enum error_code find_ended(struct registry_world *world, const struct upload_key *key,
                                  const char *content)
{
    const struct digest digest = digest_of(content ? content : "");

    world->err = (struct error){0};
    return registry_find_ended_upload(world->registry, key, content ? &digest : NULL, &world->err);
}

static void what_became_of_an_upload_is_known_after_a_restart(void **state)
{
    struct registry_world *world = *state;
    const struct upload_key pushed = key_of(rest(world, "one"));
    const struct upload_key given_up = key_of(rest(world, "two"));
    const struct upload_key resting = key_of(rest(world, "three"));

    end(world, pushed.id.bytes, "one");
    end(world, given_up.id.bytes, NULL);
    registry_world_let_move(world, false, false);
    assert_int_equal(find_ended(world, &pushed, "one"), OK);
    assert_int_equal(find_ended(world, &pushed, "another"), ERROR_NOT_FOUND);
    assert_int_equal(find_ended(world, &pushed, NULL), ERROR_NOT_FOUND);
    assert_int_equal(find_ended(world, &given_up, NULL), OK);
    assert_int_equal(find_ended(world, &given_up, "two"), ERROR_NOT_FOUND);
    assert_int_equal(find_ended(world, &resting, "three"), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_UPLOAD);
}

static void what_became_of_an_upload_is_for_who_could_have_ended_it(void **state)
{
    static const struct {
        const char *repository;
        const char *identity;
        const char *login;
        enum error_code code;
    } rows[] = {
        {"team/app", "somebody", LOGIN, OK},
        {"team/app", "somebody", "", OK},
        {"team/app", "", LOGIN, OK},
        {"team/app", "", "", ERROR_UNAUTHENTICATED},
        {"team/app", "somebody else", LOGIN, ERROR_DENIED},
        {"team/other", "somebody", LOGIN, ERROR_NOT_FOUND},
    };
    struct registry_world *world = *state;
    const char *id = rest(world, "one");

    end(world, id, "one");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct upload_key key = {
            .repository = repository_of(rows[i].repository),
            .id = str_from(id),
            .identity = str_from(rows[i].identity),
            .login = str_from(rows[i].login),
        };

        assert_int_equal(find_ended(world, &key, "one"), rows[i].code);
    }
}

static void what_became_of_an_upload_is_forgotten(void **state)
{
    struct registry_world *world = *state;
    struct upload_expiry expiry;
    const struct upload_key key = key_of(rest(world, "one"));

    end(world, key.id.bytes, "one");
    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(find_ended(world, &key, "one"), OK);
    fake_clock_advance(&world->clock, 1);
    assert_int_equal(registry_expire_uploads(world->registry, &expiry, NULL), OK);
    assert_int_equal(find_ended(world, &key, "one"), ERROR_NOT_FOUND);
    assert_int_equal(registry_world_count(world, "select count(*) from ended_upload"), 0);
}

/* As of a JWT, which says who it was and when it ended. What the times are is behind now, when the
 * upload begins; `now` is when somebody goes on with it. */
static void a_login_that_is_over_has_its_grace(void **state)
{
    enum { END = 1000, OTHER_END = 2000, NEVER = 0 };
    static const struct {
        const char *name;
        int64_t ends_ms; /* of the login it begins with */
        const char *login;
        int64_t presented_ends_ms;
        int64_t now_ms;
        enum error_code code;
    } rows[] = {
        {"the same", END, LOGIN, END, END + GRACE_MS, OK},
        {"the same, too late", END, LOGIN, END, END + GRACE_MS + 1, ERROR_UNAUTHENTICATED},
        {"the same, taken back", NEVER, LOGIN, NEVER, GRACE_MS, OK},
        {"the same, taken back, too late", NEVER, LOGIN, NEVER, GRACE_MS + 1,
         ERROR_UNAUTHENTICATED},
        {"renewed by what has lapsed", END, LOGIN, END + GRACE_MS, END + GRACE_MS + 1,
         ERROR_UNAUTHENTICATED},
        {"another", END, "", OTHER_END, OTHER_END + GRACE_MS, OK},
        {"another, too late", END, "", OTHER_END, OTHER_END + GRACE_MS + 1, ERROR_UNAUTHENTICATED},
        {"another, over when it began", END, "", -1, 1, ERROR_UNAUTHENTICATED},
        {"another, a year ago", END, "", INT64_C(-365) * 86400000, 1, ERROR_UNAUTHENTICATED},
        {"another, nobody knows when", END, "", NEVER, 1, ERROR_UNAUTHENTICATED},
    };
    struct registry_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int64_t begin_ms = now_ms(world);
        struct upload_key key = key_of("");

        key.login_ends_ms = rows[i].ends_ms == NEVER ? INT64_MAX : begin_ms + rows[i].ends_ms;
        key.id = str_from(rest_with(world, &key, "one"));
        fake_clock_advance(&world->clock, rows[i].now_ms);
        registry_world_run_sql(world, "update upload set updated_ms = 1 << 60"); /* never rests */
        key.login = str_from(rows[i].login);
        key.login_ends_ms =
            rows[i].presented_ends_ms == NEVER ? INT64_MAX : begin_ms + rows[i].presented_ends_ms;
        key.has_expired = true;
        assert_int_equal(go_on(world, &key), rows[i].code);
        key.has_expired = false; /* whoever logs in again goes on */
        assert_int_equal(go_on(world, &key), OK);
    }
}

static void whoever_may_go_on_is_found_to_be_given_a_token(void **state)
{
    struct registry_world *world = *state;
    struct upload_key key = key_of("");
    struct str owner = {0};

    key.login_ends_ms = now_ms(world) + 1;
    (void)rest_with(world, &key, "one");
    key.has_expired = true;
    assert_int_equal(registry_find_upload_owner(world->registry, &key, &world->arena, &owner, NULL),
                     OK);
    assert_true(str_is(owner, "somebody"));
    key.login = str_from("");
    assert_int_equal(registry_find_upload_owner(world->registry, &key, &world->arena, &owner, NULL),
                     OK);
    key.login_ends_ms = INT64_MAX;
    assert_int_equal(registry_find_upload_owner(world->registry, &key, &world->arena, &owner, NULL),
                     ERROR_NOT_FOUND);
    key.login = str_from(LOGIN);
    fake_clock_advance(&world->clock, GRACE_MS + 2);
    registry_world_run_sql(world, "update upload set updated_ms = 1 << 60");
    assert_int_equal(registry_find_upload_owner(world->registry, &key, &world->arena, &owner, NULL),
                     ERROR_NOT_FOUND);
}

static void an_upload_is_gone_at_its_age_however_busy_it_is(void **state)
{
    struct registry_world *world = *state;
    const struct upload_key key = key_of(rest(world, "one"));

    for (int64_t age_ms = 0; age_ms < WORLD_UPLOAD_AGE_MS; age_ms += WORLD_UPLOAD_LIFETIME_MS) {
        fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS);
        assert_int_equal(go_on(world, &key), OK);
    }
    fake_clock_advance(&world->clock, 1);
    assert_int_equal(go_on(world, &key), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_UPLOAD);
    assert_non_null(strstr(world->err.message, "limits.upload_age"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_became_of_an_upload_is_known_after_a_restart),
        WORLD_TEST(what_became_of_an_upload_is_for_who_could_have_ended_it),
        WORLD_TEST(what_became_of_an_upload_is_forgotten),
        WORLD_TEST(a_login_that_is_over_has_its_grace),
        WORLD_TEST(whoever_may_go_on_is_found_to_be_given_a_token),
        WORLD_TEST(an_upload_is_gone_at_its_age_however_busy_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
