#include "registry/scm_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "registry/registry.h"
#include "registry_world.h"

enum { ARENA_BYTES = 1024 * 1024 };

static const struct scm_source claimed = {STR_LITERAL("git:x"), STR_LITERAL("abc"),
                                          STR_LITERAL("me"), STR_LITERAL("")};

static enum error_code parse(const char *text, struct scm_source *source, struct error *err)
{
    static struct arena arena;

    arena_release(&arena);
    arena_init(&arena, ARENA_BYTES);
    return scm_source_parse(str_from(text), &arena, source, err);
}

static void sources_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *fields[4];
    } rows[] = {
        {"{\"url\":\"git:x\",\"revision\":\"1\",\"author\":\"me\",\"status\":\" M a\"}",
         {"git:x", "1", "me", " M a"}},
        {"{\"revision\":\"1\",\"url\":\"git:x\"}", {"git:x", "1", "", ""}},
        {" {\"url\":\"\\u00e9\",\"revision\":\"1\",\"more\":[1]} ", {"\xc3\xa9", "1", "", ""}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scm_source source = {0};

        assert_int_equal(parse(rows[i].text, &source, NULL), OK);
        assert_true(str_is(source.url, rows[i].fields[0]));
        assert_true(str_is(source.revision, rows[i].fields[1]));
        assert_true(str_is(source.author, rows[i].fields[2]));
        assert_true(str_is(source.status, rows[i].fields[3]));
    }
}

static void what_is_no_source_is_said(void **state)
{
    static const char *const rows[][2] = {
        {"", "JSON"},
        {"[]", "url"},
        {"{", "JSON"},
        {"{}", "url"},
        {"{\"url\":\"\",\"revision\":\"1\"}", "url"},
        {"{\"url\":\"x\"}", "revision"},
        {"{\"url\":1,\"revision\":\"1\"}", "has a \"url\" that is no string"},
        {"{\"url\":\"x\",\"revision\":\"1\",\"author\":null}",
         "has a \"author\" that is no string"},
        {"{\"url\":\"x\",\"revision\":\"1\",\"status\":{}}", "has a \"status\" that is no string"},
        {"{\"url\":\"x\",\"url\":\"y\",\"revision\":\"1\"}", "JSON"},
        {"{\"url\":\"x\",\"URL\":\"y\",\"revision\":\"1\"}", "\"URL\", which"},
        {"{\"url\":\"x\",\"revi\\u017fion\":\"2\",\"revision\":\"1\"}", "for \"revision\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scm_source source = {0};
        struct error err = {0};

        assert_int_equal(parse(rows[i][0], &source, &err), ERROR_INVALID);
        assert_int_equal(err.topic, ABOUT_SOURCE);
        if (!strstr(err.message, rows[i][1])) {
            fail_msg("%s: %s", rows[i][0], err.message);
        }
    }
}

static void fields_are_limited(void **state)
{
    struct scm_source source = {0};
    struct strbuf text;

    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        strbuf_init(&text, (size_t)2 * SCM_SOURCE_FIELD_BYTES);
        strbuf_append_text(&text, "{\"url\":\"");
        for (size_t i = 0; i < SCM_SOURCE_FIELD_BYTES + extra; i++) {
            strbuf_append_byte(&text, 'x');
        }
        strbuf_append_text(&text, "\",\"revision\":\"1\"}");
        assert_int_equal(parse(text.text, &source, NULL), extra ? ERROR_INVALID : OK);
        strbuf_release(&text);
    }
}

static void a_full_arena_is_said(void **state)
{
    struct scm_source source = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena, 1);
    assert_int_equal(
        scm_source_parse(str_from("{\"url\":\"x\",\"revision\":\"1\"}"), &arena, &source, NULL),
        ERROR_TOO_LARGE);
    arena_release(&arena);
}

/* Pushes an image of nothing, as somebody who says what it was built from, or does not. */
static void push_claimed(struct registry_world *world, const char *tag, const char *layers,
                         const struct scm_source *source)
{
    struct manifest_upload upload = {
        .repository = repository_of("team/app"),
        .media_type = str_from(OCI_IMAGE),
        .content = str_from(registry_world_make_image(world, layers, LAYER_COSIGN)),
        .identity = {str_from("employee"), str_from("jdoe")},
        .scm_source = source,
    };

    assert_int_equal(reference_parse(str_from(tag), &upload.reference, NULL), OK);
    assert_int_equal(
        registry_push_manifest(world->registry, &upload, &world->arena, &world->receipt, NULL), OK);
    fake_clock_advance(&world->clock, 1000);
}

static enum error_code find_source(struct registry_world *world, const char *tag, struct error *err)
{
    const struct repository repository = repository_of("team/app");
    struct scm_record record = {0};
    const enum error_code code = registry_find_scm_source(
        world->registry, &repository, str_from(tag), &world->arena, &record, err);

    assert_true(code || str_is(record.source.revision, "abc"));
    return code;
}

static void sources_are_found_by_tag(void **state)
{
    struct registry_world *world = *state;
    struct error err = {0};

    push_claimed(world, "1.0", "a", NULL);
    push_claimed(world, "2.0", "b", &claimed);
    assert_int_equal(find_source(world, "2.0", NULL), OK);
    assert_int_equal(find_source(world, "latest", NULL), OK);
    assert_int_equal(find_source(world, "1.0", &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_SOURCE);
    assert_int_equal(find_source(world, "3.0", &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_TAG);
}

static void signatures_and_digests_have_no_source(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "a", LAYER_COSIGN);
    const char *digest = registry_world_digest_text(world, image);

    push_claimed(world, digest, "a", &claimed);
    push_claimed(world, arena_format(&world->arena, "sha256-%s.sig", digest + strlen("sha256:")),
                 "a", &claimed);
    assert_int_equal(registry_world_count(world, "select count(*) from scm_source"), 0);
}

static enum error_code release(struct registry_world *world, const char *tag, struct error *err)
{
    const struct repository repository = repository_of("team/app");
    const struct release wanted = {&repository,
                                   str_from(tag),
                                   str_from("INC-1"),
                                   {str_from("employee"), str_from("jdoe")},
                                   &world->arena};

    return registry_mark_production_ready(world->registry, &wanted, err);
}

static void only_what_tells_its_source_is_released(void **state)
{
    struct registry_world *world = *state;
    struct error err = {0};

    push_claimed(world, "1.0", "a", NULL);
    push_claimed(world, "2.0", "b", &claimed);
    assert_int_equal(release(world, "1.0", &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_SOURCE);
    assert_int_equal(release(world, "3.0", &err), ERROR_NOT_FOUND);
    assert_int_equal(release(world, "latest", NULL), OK);
    assert_int_equal(release(world, "2.0", &err), ERROR_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_read),
        cmocka_unit_test(what_is_no_source_is_said),
        cmocka_unit_test(fields_are_limited),
        cmocka_unit_test(a_full_arena_is_said),
        WORLD_TEST(sources_are_found_by_tag),
        WORLD_TEST(signatures_and_digests_have_no_source),
        WORLD_TEST(only_what_tells_its_source_is_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
