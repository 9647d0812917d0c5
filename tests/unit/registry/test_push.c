#include "registry/manifests.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "metadata/tags.h"
#include "registry/registry_private.h"
#include "registry/source_finder.h"
#include "registry_world.h"
#include "tests/support/faulty_store.h"

#define UNKNOWN_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static void image_is_found_under_its_tag_and_its_digest(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    const char *digest = registry_world_digest_text(world, image);
    const struct digest wanted = digest_of(image);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_true(digest_equal(&world->receipt.digest, &wanted));
    assert_false(world->receipt.has_subject);
    assert_false(world->receipt.has_existing);
    assert_true(registry_world_has(world, "team/app", "1.0", image));
    assert_true(registry_world_has(world, "team/app", digest, image));
}

static void digest_in_the_reference_says_how_it_is_hashed(void **state)
{
    static const enum digest_algorithm algorithms[] = {DIGEST_SHA256, DIGEST_SHA512};
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        const struct digest digest = hasher_digest_of(algorithms[i], str_from(image));
        char text[DIGEST_TEXT_BYTES];

        digest_format(&digest, text);
        assert_int_equal(registry_world_push(world, "team/app", text, image), OK);
        assert_true(digest_equal(&world->receipt.digest, &digest));
        assert_true(registry_world_has(world, "team/app", text, image));
    }
    assert_int_equal(registry_world_count(world, "select count(*) from tag"), 0);
}

static void wrong_digest_is_told_with_the_right_one(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", UNKNOWN_DIGEST, image), ERROR_INVALID);
    assert_int_equal(world->err.topic, ABOUT_DIGEST);
    assert_non_null(strstr(world->err.message, UNKNOWN_DIGEST));
    assert_non_null(strstr(world->err.message, registry_world_digest_text(world, image)));
    assert_int_equal(registry_world_count(world, "select count(*) from repository"), 0);
}

static void what_is_no_manifest_is_refused(void **state)
{
    static const struct {
        const char *content;
        const char *type;
        enum error_code code;
    } rows[] = {
        {"", OCI_IMAGE, ERROR_INVALID},
        {"{}", OCI_IMAGE, ERROR_INVALID},
        {"{\"schemaVersion\":2,\"manifests\":[]}", "application/json", ERROR_INVALID},
        {"{\"schemaVersion\":2,\"manifests\":[]}", OCI_IMAGE, ERROR_INVALID},
        {"{\"schemaVersion\":1}", "application/vnd.docker.distribution.manifest.v1+prettyjws",
         ERROR_UNSUPPORTED},
    };
    struct registry_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(
            registry_world_push_as(world, "team/app", "1.0", rows[i].content, rows[i].type),
            rows[i].code);
        assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    }
    assert_int_equal(registry_world_count(world, "select count(*) from repository"), 0);
}

static void manifest_has_its_limit(void **state)
{
    static const char index[] = "{\"schemaVersion\":2,\"manifests\":[]}";
    struct registry_world *world = *state;
    const struct str spaces = {
        arena_new(&world->arena, WORLD_MANIFEST_MAX_BYTES + 1, 1),
        WORLD_MANIFEST_MAX_BYTES + 1,
    };
    char *content = arena_text(&world->arena, spaces);

    memset(content, ' ', spaces.length);
    memcpy(content, index, sizeof(index) - 1);
    assert_int_equal(registry_world_push_as(world, "team/app", "1.0", content, OCI_INDEX),
                     ERROR_TOO_LARGE);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    content[WORLD_MANIFEST_MAX_BYTES] = '\0';
    assert_int_equal(registry_world_push_as(world, "team/app", "1.0", content, OCI_INDEX), OK);
}

static void missing_layer_is_named_and_nothing_is_stored(void **state)
{
    struct registry_world *world = *state;
    const struct digest missing = digest_of("never pushed");
    const struct digest config = registry_world_push_blob(world, "{}");
    const char *image = arena_format(
        &world->arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
        registry_world_describe(world, "config", &config, 2),
        registry_world_describe(world, LAYER_TAR, &missing, sizeof("never pushed") - 1));

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_REFERENCED);
    assert_int_equal(world->receipt.missing_count, 1);
    assert_true(digest_equal(&world->receipt.missing[0], &missing));
    assert_int_equal(registry_world_count(world, "select count(*) from repository"), 0);
    (void)registry_world_push_blob(world, "never pushed");
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
}

static void subject_is_told_though_it_is_not_there_yet(void **state)
{
    struct registry_world *world = *state;
    const struct digest subject = digest_of("a later image");
    const char *index = arena_format(
        &world->arena, "{\"schemaVersion\":2,\"manifests\":[],\"subject\":%s}",
        registry_world_describe(world, OCI_IMAGE, &subject, sizeof("a later image") - 1));

    assert_int_equal(registry_world_push_as(world, "team/app", "1.0", index, OCI_INDEX), OK);
    assert_true(world->receipt.has_subject);
    assert_true(digest_equal(&world->receipt.subject, &subject));
}

static void same_again_is_success_and_stores_nothing(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    fake_clock_advance(&world->clock, 1000);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(registry_world_count(world, "select count(*) from tag_change"), 1);
    assert_int_equal(registry_world_count(world, "select count(*) from manifest"), 1);
}

static void existing_tag_is_refused_with_both_digests(void **state)
{
    struct registry_world *world = *state;
    const char *first = registry_world_make_image(world, "one", LAYER_TAR);
    const char *second = registry_world_make_image(world, "two", LAYER_TAR);
    const struct digest existing = digest_of(first);
    const struct digest refused = digest_of(second);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", first), OK);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", second), ERROR_CONFLICT);
    assert_int_equal(world->err.topic, ABOUT_TAG);
    assert_non_null(strstr(world->err.message, "team/app:1.0"));
    assert_non_null(strstr(world->err.message, registry_world_digest_text(world, first)));
    assert_non_null(strstr(world->err.message, registry_world_digest_text(world, second)));
    assert_true(world->receipt.has_existing);
    assert_true(digest_equal(&world->receipt.existing, &existing));
    assert_true(digest_equal(&world->receipt.refused, &refused));
    assert_true(registry_world_has(world, "team/app", "1.0", first));
    assert_int_equal(registry_world_count(world, "select count(*) from manifest"), 1);
}

static void tags_of_other_repositories_do_not_matter(void **state)
{
    struct registry_world *world = *state;
    const char *first = registry_world_make_image(world, "one", LAYER_TAR);
    const char *second = registry_world_make_image(world, "two", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", first), OK);
    assert_int_equal(registry_world_push(world, "team/other", "1.0", second), OK);
    assert_true(registry_world_has(world, "team/app", "1.0", first));
    assert_true(registry_world_has(world, "team/other", "1.0", second));
}

static void latest_is_refused_with_what_to_push_instead(void **state)
{
    struct registry_world *world = *state;
    const char *first = registry_world_make_image(world, "one", LAYER_TAR);
    const char *second = registry_world_make_image(world, "two", LAYER_TAR);
    const struct digest newest = digest_of(first);

    assert_int_equal(registry_world_push(world, "team/app", "latest", first), ERROR_CONFLICT);
    assert_int_equal(world->err.topic, ABOUT_TAG);
    assert_false(world->receipt.has_existing);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", first), OK);
    assert_int_equal(registry_world_push(world, "team/app", "latest", second), ERROR_CONFLICT);
    assert_non_null(strstr(world->err.message, "version tag"));
    assert_true(world->receipt.has_existing);
    assert_true(digest_equal(&world->receipt.existing, &newest));
    assert_int_equal(registry_world_count(world, "select count(*) from manifest"), 1);
}

static void latest_that_is_so_already_is_success_and_stores_nothing(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    const struct digest digest = digest_of(image);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(registry_world_push(world, "team/app", "latest", image), OK);
    assert_true(digest_equal(&world->receipt.digest, &digest));
    assert_int_equal(registry_world_count(world, "select count(*) from tag"), 1);
}

/* Pushes by digest, with these tags (separated by spaces). */
static enum error_code push_with_tags(struct registry_world *world, const char *image,
                                      const char *tags, const struct scm_source *source)
{
    struct str names[PUSH_TAGS_MAX];
    struct str rest = str_from(tags);
    struct manifest_upload upload = {
        .repository = repository_of("team/app"),
        .reference = {.is_digest = true, .digest = digest_of(image)},
        .tags = names,
        .media_type = str_from(OCI_IMAGE),
        .content = str_from(image),
        .identity = {str_from("employee"), str_from("somebody")},
        .scm_source = source,
    };

    while (str_cut(&rest, ' ', &names[upload.tag_count])) {
        upload.tag_count++;
    }
    world->err = (struct error){0};
    return registry_push_manifest(world->registry, &upload, &world->arena, &world->receipt,
                                  &world->err);
}

static void several_tags_are_set_at_once_and_more_later(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(push_with_tags(world, image, "1 1.0", NULL), OK);
    assert_int_equal(push_with_tags(world, image, "1 1.0", NULL), OK);
    assert_int_equal(push_with_tags(world, image, "1.0 1.0.0 1-SNAPSHOT", NULL), OK);
    assert_true(registry_world_has(world, "team/app", "1", image));
    assert_true(registry_world_has(world, "team/app", "1.0.0", image));
    assert_int_equal(registry_world_count(world, "select count(*) from tag"), 4);
    assert_int_equal(registry_world_count(world, "select count(*) from tag_change"), 4);
}

static void taken_tag_of_several_is_named_and_none_is_set(void **state)
{
    struct registry_world *world = *state;
    const char *first = registry_world_make_image(world, "one", LAYER_TAR);
    const char *second = registry_world_make_image(world, "two", LAYER_TAR);
    const struct digest existing = digest_of(first);
    const struct digest refused = digest_of(second);

    registry_world_let_move(world, true, false);
    assert_int_equal(push_with_tags(world, first, "1-SNAPSHOT 1.0", NULL), OK);
    assert_int_equal(push_with_tags(world, second, "1-SNAPSHOT 2 1.0", NULL), ERROR_CONFLICT);
    assert_non_null(strstr(world->err.message, "team/app:1.0 is immutable"));
    assert_true(str_is(world->receipt.refused_tag, "1.0"));
    assert_true(world->receipt.has_existing);
    assert_true(digest_equal(&world->receipt.existing, &existing));
    assert_true(digest_equal(&world->receipt.refused, &refused));
    assert_true(registry_world_has(world, "team/app", "1-SNAPSHOT", first));
    assert_int_equal(registry_world_count(world, "select count(*) from tag"), 2);
    assert_int_equal(registry_world_count(world, "select count(*) from manifest"), 1);
    assert_int_equal(push_with_tags(world, second, "1-SNAPSHOT 2", NULL), OK);
    assert_true(registry_world_has(world, "team/app", "1-SNAPSHOT", second));
}

static void latest_among_several_tags_is_refused_unless_it_is_so(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(push_with_tags(world, image, "1.0 latest", NULL), ERROR_CONFLICT);
    assert_true(str_is(world->receipt.refused_tag, "latest"));
    assert_false(world->receipt.has_existing);
    assert_int_equal(registry_world_count(world, "select count(*) from manifest"), 0);
    assert_int_equal(push_with_tags(world, image, "1.0", NULL), OK);
    assert_int_equal(push_with_tags(world, image, "latest", NULL), OK);
    assert_int_equal(push_with_tags(world, image, "latest 1.0 1.1", NULL), OK);
    assert_int_equal(registry_world_count(world, "select count(*) from tag"), 2);
}

/* But not of a signature's, which was built from nothing. */
static void each_of_several_tags_is_said_to_be_built_from_something(void **state)
{
    static const struct scm_source source = {STR_LITERAL("git:x"), STR_LITERAL("abc"),
                                             STR_LITERAL("me"), STR_LITERAL("")};
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    const char *signature =
        arena_format(&world->arena, "sha256-%s.sig 1.0 1.1",
                     registry_world_digest_text(world, image) + sizeof("sha256:") - 1);

    assert_int_equal(push_with_tags(world, image, signature, &source), OK);
    assert_int_equal(registry_world_count(world, "select count(*) from tag where kind = 2"), 1);
    assert_int_equal(registry_world_count(world, "select count(*) from scm_source"), 2);
    assert_int_equal(
        registry_world_count(world, "select count(*) from scm_source where tag like '1._'"), 2);
}

enum { RACERS = 50 };

/* One of many who push at the same moment. */
struct racer {
    pthread_t thread;
    pthread_barrier_t *start;
    struct registry *registry;
    struct manifest_upload upload;
    enum error_code code;
};

static enum error_code push_giving_way(struct registry_world *world, const char *reference,
                                       const struct scm_source *source)
{
    struct manifest_upload upload = {
        .repository = repository_of("team/app"),
        .media_type = str_from(OCI_IMAGE),
        .content = str_from(registry_world_make_image(world, "layer", LAYER_TAR)),
        .identity = {str_from("employee"), str_from("somebody")},
        .scm_source = source,
        .patience = PUSH_GIVES_WAY,
    };

    assert_int_equal(reference_parse(str_from(reference), &upload.reference, NULL), OK);
    return registry_push_manifest(world->registry, &upload, &world->arena, &world->receipt, NULL);
}

static void who_has_to_search_gives_way_to_those_who_do(void **state)
{
    static const struct scm_source source = {STR_LITERAL("git:x"), STR_LITERAL("abc"),
                                             STR_LITERAL("me"), STR_LITERAL("")};
    struct registry_world *world = *state;

    for (int i = 0; i < SOURCE_SEARCHES_MAX; i++) {
        assert_true(source_search_begin(world->registry, PUSH_GIVES_WAY));
    }
    assert_false(source_search_begin(world->registry, PUSH_GIVES_WAY_SOON));
    assert_int_equal(push_giving_way(world, "1.0", NULL), ERROR_UNAVAILABLE);
    assert_true(world->receipt.has_given_way);
    assert_int_equal(push_giving_way(world, "2.0", &source), OK);
    source_search_end(world->registry);
    assert_int_equal(push_giving_way(world, "1.0", NULL), OK);
    assert_false(world->receipt.has_given_way);
    assert_int_equal(push_giving_way(world, "3.0", NULL), OK); /* it was given back */
}

static void large_manifest_waits_for_those_that_are_parsed(void **state)
{
    static char content[64 * 1024];
    struct registry_world *world = *state;
    struct manifest_upload upload = {
        .repository = repository_of("team/app"),
        .reference = {.tag = str_from("1.0")},
        .media_type = str_from(OCI_IMAGE),
        .content = {content, sizeof(content)},
        .patience = PUSH_GIVES_WAY,
    };

    for (size_t i = 0; i < sizeof(content); i++) {
        content[i] = i % 2 ? '1' : ',';
    }
    assert_true(memory_budget_take(world->registry->parsing, PARSING_MAX_BYTES, 0));
    assert_int_equal(
        registry_push_manifest(world->registry, &upload, &world->arena, &world->receipt, NULL),
        ERROR_UNAVAILABLE);
    assert_true(world->receipt.has_given_way);
    assert_int_equal(push_giving_way(world, "2.0", NULL), OK); /* a small one does not */
    memory_budget_give(world->registry->parsing, PARSING_MAX_BYTES);
    assert_int_equal(
        registry_push_manifest(world->registry, &upload, &world->arena, &world->receipt, NULL),
        ERROR_INVALID);
    assert_true(memory_budget_take(world->registry->parsing, PARSING_MAX_BYTES, 0));
    memory_budget_give(world->registry->parsing, PARSING_MAX_BYTES);
}

static void *race(void *context)
{
    struct racer *racer = context;
    struct manifest_receipt receipt;
    struct arena arena;

    arena_init(&arena, WORLD_MANIFEST_MAX_BYTES);
    (void)pthread_barrier_wait(racer->start);
    racer->code = registry_push_manifest(racer->registry, &racer->upload, &arena, &receipt, NULL);
    arena_release(&arena);
    return NULL;
}

/* An image of its own for each. */
static void make_racer(struct registry_world *world, struct racer *racer, const char *tag,
                       size_t number)
{
    const char *layer = arena_format(&world->arena, "layer %zu", number);
    const char *image = registry_world_make_image(world, layer, LAYER_TAR);

    racer->registry = world->registry;
    racer->upload = (struct manifest_upload){
        .repository = repository_of("team/app"),
        .reference = {.tag = str_from(tag)},
        .media_type = str_from(OCI_IMAGE),
        .content = str_from(image),
        .identity = {str_from("employee"), str_from("somebody")},
    };
}

static void run_race(struct registry_world *world, struct racer racers[RACERS], const char *tag)
{
    pthread_barrier_t start;

    (void)pthread_barrier_init(&start, NULL, RACERS);
    for (size_t i = 0; i < RACERS; i++) {
        make_racer(world, &racers[i], tag, i);
        racers[i].start = &start;
    }
    for (size_t i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        (void)pthread_join(racers[i].thread, NULL);
    }
    (void)pthread_barrier_destroy(&start);
}

static size_t count_racers(const struct racer racers[RACERS], enum error_code code)
{
    size_t count = 0;

    for (size_t i = 0; i < RACERS; i++) {
        count += racers[i].code == code;
    }
    return count;
}

static void of_many_who_race_for_a_tag_one_wins(void **state)
{
    struct registry_world *world = *state;
    struct racer racers[RACERS];
    struct manifest_found found;

    run_race(world, racers, "1.0");
    assert_int_equal(count_racers(racers, OK), 1);
    assert_int_equal(count_racers(racers, ERROR_CONFLICT), RACERS - 1);
    assert_int_equal(registry_world_count(world, "select count(*) from tag_change"), 1);
    assert_int_equal(registry_world_count(world, "select count(*) from manifest"), 1);
    assert_int_equal(registry_world_find(world, "team/app", "1.0", &found), OK);
    for (size_t i = 0; i < RACERS; i++) {
        assert_int_equal(str_equal(found.manifest.content, racers[i].upload.content),
                         racers[i].code == OK);
    }
}

static void all_who_race_to_move_a_snapshot_move_it(void **state)
{
    struct registry_world *world = *state;
    struct racer racers[RACERS];

    registry_world_let_move(world, true, false);
    run_race(world, racers, "1-SNAPSHOT");
    assert_int_equal(count_racers(racers, OK), RACERS);
    assert_int_equal(registry_world_count(world, "select count(*) from tag_change"), RACERS);
    /* Each began where the one before had ended: no move was lost. */
    assert_int_equal(
        registry_world_count(world, "select count(distinct old_digest) from tag_change"),
        RACERS - 1);
}

static void failing_store_leaves_nothing_behind(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one,two", LAYER_TAR);
    const unsigned reads = 6; /* two layers and a config: looked for, then looked into */

    for (unsigned call = 1; call <= reads; call++) {
        faulty_store_fail_at(world->blobs, call, ERROR_UNAVAILABLE);
        assert_int_equal(registry_world_push(world, "team/app", "1.0", image), ERROR_UNAVAILABLE);
        assert_int_equal(registry_world_count(world, "select count(*) from repository"), 0);
    }
    faulty_store_fail_at(world->blobs, 0, OK);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    /* The first of the layers is known by now. */
    assert_int_equal(faulty_store_calls(world->blobs), reads - 1);
}

/* The transaction fails at its last step. */
static void failing_database_leaves_nothing_behind(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    registry_world_run_sql(world, "alter table tag_change rename to gone");
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), ERROR_INTERNAL);
    assert_int_equal(registry_world_count(world, "select count(*) from repository"), 0);
    registry_world_run_sql(world, "alter table gone rename to tag_change");
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
}

static void failing_look_up_of_the_newest_is_no_refusal(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    registry_world_run_sql(world, "alter table tag rename to gone");
    assert_int_equal(registry_world_push(world, "team/app", "latest", image), ERROR_INTERNAL);
}

static void manifest_that_fills_the_memory_is_too_large(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    const struct manifest_upload upload = {
        .repository = repository_of("team/app"),
        .reference = {.tag = str_from("1.0")},
        .media_type = str_from(OCI_IMAGE),
        .content = str_from(image),
        .identity = {str_from("employee"), str_from("somebody")},
    };
    struct manifest_receipt receipt;
    struct arena small;

    arena_init(&small, 1024);
    assert_int_equal(
        registry_push_manifest(world->registry, &upload, &small, &receipt, &world->err),
        ERROR_TOO_LARGE);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    arena_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(image_is_found_under_its_tag_and_its_digest),
        WORLD_TEST(digest_in_the_reference_says_how_it_is_hashed),
        WORLD_TEST(wrong_digest_is_told_with_the_right_one),
        WORLD_TEST(what_is_no_manifest_is_refused),
        WORLD_TEST(manifest_has_its_limit),
        WORLD_TEST(missing_layer_is_named_and_nothing_is_stored),
        WORLD_TEST(subject_is_told_though_it_is_not_there_yet),
        WORLD_TEST(same_again_is_success_and_stores_nothing),
        WORLD_TEST(existing_tag_is_refused_with_both_digests),
        WORLD_TEST(tags_of_other_repositories_do_not_matter),
        WORLD_TEST(latest_is_refused_with_what_to_push_instead),
        WORLD_TEST(latest_that_is_so_already_is_success_and_stores_nothing),
        WORLD_TEST(several_tags_are_set_at_once_and_more_later),
        WORLD_TEST(taken_tag_of_several_is_named_and_none_is_set),
        WORLD_TEST(latest_among_several_tags_is_refused_unless_it_is_so),
        WORLD_TEST(each_of_several_tags_is_said_to_be_built_from_something),
        WORLD_TEST(of_many_who_race_for_a_tag_one_wins),
        WORLD_TEST(all_who_race_to_move_a_snapshot_move_it),
        WORLD_TEST(failing_store_leaves_nothing_behind),
        WORLD_TEST(failing_database_leaves_nothing_behind),
        WORLD_TEST(failing_look_up_of_the_newest_is_no_refusal),
        WORLD_TEST(who_has_to_search_gives_way_to_those_who_do),
        WORLD_TEST(large_manifest_waits_for_those_that_are_parsed),
        WORLD_TEST(manifest_that_fills_the_memory_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
