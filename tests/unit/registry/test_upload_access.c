#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/uploads.h"
#include "registry_world.h"

#define LOGIN "0123456789abcdef0123456789abcdef"

static struct upload_key key_of(const char *id)
{
    return (struct upload_key){
        .repository = repository_of("team/app"),
        .id = str_from(id),
        .identity = str_from("somebody"),
        .login = str_from(LOGIN),
    };
}

/* An upload that rests with that content; its id lives as long as the test. */
static const char *rest(struct registry_world *world, const char *content)
{
    const struct upload_key key = key_of("");
    struct upload *upload = NULL;
    const char *id = NULL;

    assert_int_equal(upload_begin(world->registry, &key, DIGEST_SHA256, &upload, NULL), OK);
    id = arena_text(&world->arena, upload_id(upload));
    assert_int_equal(upload_write(upload, str_from(content), NULL), OK);
    assert_int_equal(upload_suspend(upload, NULL), OK);
    upload_close(upload);
    return id;
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
    const struct upload_key key = key_of(rest(world, "one"));

    end(world, key.id.bytes, "one");
    fake_clock_advance(&world->clock, WORLD_UPLOAD_LIFETIME_MS);
    assert_int_equal(registry_forget_ended_uploads(world->registry, NULL), OK);
    assert_int_equal(find_ended(world, &key, "one"), OK);
    fake_clock_advance(&world->clock, 1);
    assert_int_equal(registry_forget_ended_uploads(world->registry, NULL), OK);
    assert_int_equal(find_ended(world, &key, "one"), ERROR_NOT_FOUND);
    assert_int_equal(registry_world_count(world, "select count(*) from ended_upload"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_became_of_an_upload_is_known_after_a_restart),
        WORLD_TEST(what_became_of_an_upload_is_for_who_could_have_ended_it),
        WORLD_TEST(what_became_of_an_upload_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
