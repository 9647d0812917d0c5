#include "registry/tag_mover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/tags.h"
#include "registry_world.h"

static void snapshot_moves_only_where_settings_let_it(void **state)
{
    struct registry_world *world = *state;
    const char *first = registry_world_make_image(world, "one", LAYER_TAR);
    const char *second = registry_world_make_image(world, "two", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1-SNAPSHOT", first), OK);
    registry_world_let_move(world, false, true);
    assert_int_equal(registry_world_push(world, "team/app", "1-SNAPSHOT", second), ERROR_CONFLICT);
    registry_world_let_move(world, true, false);
    assert_int_equal(registry_world_push(world, "team/app", "1-SNAPSHOT", second), OK);
    assert_true(registry_world_has(world, "team/app", "1-SNAPSHOT", second));
    assert_true(
        registry_world_has(world, "team/app", registry_world_digest_text(world, first), first));
}

static void every_move_is_recorded_with_both_digests(void **state)
{
    struct registry_world *world = *state;
    const char *const images[] = {
        registry_world_make_image(world, "one", LAYER_TAR),
        registry_world_make_image(world, "two", LAYER_TAR),
        registry_world_make_image(world, "one", LAYER_TAR),
    };
    const struct tag_history_query query = {str_from("team/app"), str_from("1-SNAPSHOT"), 0, 10,
                                            &world->arena};
    struct tag_history history;

    registry_world_let_move(world, true, false);
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        assert_int_equal(registry_world_push(world, "team/app", "1-SNAPSHOT", images[i]), OK);
    }
    assert_int_equal(metadata_list_tag_changes(world->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, ARRAY_LEN(images));
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        const struct tag_change *change = &history.changes[i];
        const struct digest to = digest_of(images[i]);
        const struct digest from = digest_of(images[i > 0 ? i - 1 : 0]);

        assert_true(digest_equal(&change->new_digest, &to));
        assert_int_equal(change->has_old, i > 0);
        assert_true(!change->has_old || digest_equal(&change->old_digest, &from));
        assert_true(str_is(change->changed_by.name, "somebody"));
    }
}

/* The tag of an image's signatures: the image is pushed if it is to be there. */
static const char *signature_tag(struct registry_world *world, const char *pushed_to)
{
    const char *image = registry_world_make_image(world, "signed", LAYER_TAR);

    if (pushed_to) {
        assert_int_equal(registry_world_push(world, pushed_to, "1.0", image), OK);
    }
    return arena_format(&world->arena, "sha256-%s.sig",
                        registry_world_digest_text(world, image) + sizeof("sha256:") - 1);
}

static void signatures_grow_and_never_shrink(void **state)
{
    static const struct {
        const char *signatures;
        enum error_code code;
    } pushes[] = {{"a", OK},      {"a,b", OK},   {"a", ERROR_CONFLICT}, {"b,c", ERROR_CONFLICT},
                  {"c,b,a", OK},  {"c,b,a", OK}, {"", ERROR_CONFLICT},  {"a,b", ERROR_CONFLICT},
                  {"a,b,c,d", OK}};
    struct registry_world *world = *state;
    const char *tag = NULL;

    registry_world_let_move(world, false, true);
    tag = signature_tag(world, "team/app");
    for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
        const char *image = registry_world_make_image(world, pushes[i].signatures, LAYER_COSIGN);

        assert_int_equal(registry_world_push(world, "team/app", tag, image), pushes[i].code);
        assert_int_equal(registry_world_has(world, "team/app", tag, image), pushes[i].code == OK);
    }
    assert_int_equal(
        registry_world_count(world, "select count(*) from tag_change where old_digest is not null"),
        3);
}

static void signatures_do_not_grow_unless_settings_let_them(void **state)
{
    struct registry_world *world = *state;
    const char *tag = signature_tag(world, "team/app");
    const char *one = registry_world_make_image(world, "a", LAYER_COSIGN);
    const char *two = registry_world_make_image(world, "a,b", LAYER_COSIGN);

    registry_world_let_move(world, true, false);
    assert_int_equal(registry_world_push(world, "team/app", tag, one), OK);
    assert_int_equal(registry_world_push(world, "team/app", tag, two), ERROR_CONFLICT);
    assert_non_null(strstr(world->err.message, "tags.signatures: grow"));
    registry_world_let_move(world, false, true);
    assert_int_equal(registry_world_push(world, "team/app", tag, two), OK);
    assert_int_equal(registry_world_push(world, "team/app", tag, one), ERROR_CONFLICT);
    assert_null(strstr(world->err.message, "tags.signatures"));
    assert_non_null(strstr(world->err.message, "never removed"));
}

static void a_refused_snapshot_names_its_setting(void **state)
{
    struct registry_world *world = *state;
    const char *one = registry_world_make_image(world, "a", LAYER_TAR);
    const char *two = registry_world_make_image(world, "b", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1-SNAPSHOT", one), OK);
    assert_int_equal(registry_world_push(world, "team/app", "1-SNAPSHOT", two), ERROR_CONFLICT);
    assert_non_null(strstr(world->err.message, "tags.snapshots"));
}

static void signatures_grow_only_beside_what_is_signed(void **state)
{
    static const char *const places[] = {NULL, "team/other"};
    struct registry_world *world = *state;
    const char *one = registry_world_make_image(world, "a", LAYER_COSIGN);
    const char *two = registry_world_make_image(world, "a,b", LAYER_COSIGN);

    registry_world_let_move(world, false, true);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const char *tag = signature_tag(world, places[i]);

        assert_int_equal(registry_world_push(world, "team/app", tag, one), OK);
        assert_int_equal(registry_world_push(world, "team/app", tag, two), ERROR_CONFLICT);
        assert_int_equal(world->err.topic, ABOUT_TAG);
    }
}

/* cosign writes the signature beside the layer, which is what was signed. */
static void signature_in_an_annotation_is_kept(void **state)
{
    static const char from[] = "\"size\":1}]";
    struct registry_world *world = *state;
    const char *plain = registry_world_make_image(world, "a", LAYER_COSIGN);
    const size_t head = strlen(plain) - strlen(strstr(plain, from));
    const char *images[2];
    const char *tag = NULL;

    registry_world_let_move(world, false, true);
    tag = signature_tag(world, "team/app");
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        images[i] =
            arena_format(&world->arena, "%.*s\"size\":1,\"annotations\":{\"signature\":\"%zu\"}}]}",
                         (int)head, plain, i);
    }
    assert_int_equal(registry_world_push(world, "team/app", tag, images[0]), OK);
    assert_int_equal(registry_world_push(world, "team/app", tag, images[1]), ERROR_CONFLICT);
    assert_int_equal(registry_world_push(world, "team/app", tag, plain), ERROR_CONFLICT);
    assert_true(registry_world_has(world, "team/app", tag, images[0]));
}

static void failing_look_up_of_what_was_before_moves_nothing(void **state)
{
    struct registry_world *world = *state;
    const char *one = registry_world_make_image(world, "a", LAYER_COSIGN);
    const char *two = registry_world_make_image(world, "a,b", LAYER_COSIGN);
    const char *tag = NULL;

    registry_world_let_move(world, false, true);
    tag = signature_tag(world, "team/app");
    assert_int_equal(registry_world_push(world, "team/app", tag, one), OK);
    registry_world_run_sql(world, "drop trigger content_is_never_updated;"
                                  "update content set bytes = x'00' where digest = "
                                  "(select digest from tag where kind = 2)");
    assert_int_equal(registry_world_push(world, "team/app", tag, two), ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(snapshot_moves_only_where_settings_let_it),
        WORLD_TEST(every_move_is_recorded_with_both_digests),
        WORLD_TEST(signatures_grow_and_never_shrink),
        WORLD_TEST(signatures_do_not_grow_unless_settings_let_them),
        WORLD_TEST(a_refused_snapshot_names_its_setting),
        WORLD_TEST(signatures_grow_only_beside_what_is_signed),
        WORLD_TEST(signature_in_an_annotation_is_kept),
        WORLD_TEST(failing_look_up_of_what_was_before_moves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
