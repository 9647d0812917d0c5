#include "registry/tag_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/tags.h"
#include "registry_world.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32
#define COSIGN "application/vnd.dev.cosign.simplesigning.v1+json"
#define DSSE "application/vnd.dsse.envelope.v1+json"
#define TAR "application/vnd.oci.image.layer.v1.tar+gzip"
#define IMAGE "application/vnd.oci.image.manifest.v1+json"

/* Manifests in short: a letter for each layer, of the media type given; none: a config alone. */
struct growth {
    const char *old_layers;
    const char *old_type;
    const char *new_layers;
    const char *new_type;
    bool is_index;
    bool grows;
};

enum { MAX_LAYERS = TAG_RULE_MAX_GROWTH + 1 };

static void kind_is_told_by_the_name_alone(void **state)
{
    static const struct {
        const char *tag;
        enum tag_kind kind;
    } tags[] = {
        {"1.0", TAG_VERSION},
        {"latest", TAG_VERSION},
        {"SNAPSHOT", TAG_VERSION},
        {"1.0-snapshot", TAG_VERSION},
        {"1.0-SNAPSHOT-1", TAG_VERSION},
        {"1.0.SNAPSHOT", TAG_VERSION},
        {"1.0-SNAPSHOT", TAG_SNAPSHOT},
        {"a-SNAPSHOT", TAG_SNAPSHOT},
        {"sha256-" HEX64, TAG_SIGNATURE},
        {"sha256-" HEX64 ".sig", TAG_SIGNATURE},
        {"sha256-" HEX64 ".att", TAG_SIGNATURE},
        {"sha256-" HEX64 ".sbom", TAG_SIGNATURE},
        {"sha256-" HEX64 ".", TAG_VERSION},
        {"sha256-" HEX64 ".sig2", TAG_VERSION},
        {"sha256-" HEX64 ".SIG", TAG_VERSION},
        {"sha256-" HEX64 "0", TAG_VERSION},
        {"sha256-" HEX64 "-SNAPSHOT", TAG_SNAPSHOT},
        {"sha256-" HEX32, TAG_VERSION},
        {"sha256-" HEX32 "0123456789ABCDEF0123456789abcdef", TAG_VERSION},
        {"sha256-" HEX32 "g123456789abcdef0123456789abcdef", TAG_VERSION},
        {"sha256_" HEX64, TAG_VERSION},
        {"xsha256-" HEX64, TAG_VERSION},
        {"sha512-" HEX64, TAG_VERSION},
        {"", TAG_VERSION},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        assert_int_equal(tag_rule_kind(str_from(tags[i].tag)), tags[i].kind);
    }
}

static void only_latest_is_latest(void **state)
{
    static const char *const others[] = {"", "Latest", "LATEST", "latest1", "late", "latest-1"};

    (void)state;
    assert_true(tag_rule_is_latest(str_from("latest")));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_false(tag_rule_is_latest(str_from(others[i])));
    }
}

static void versions_never_move_and_others_only_by_their_setting(void **state)
{
    static const struct {
        enum tag_kind kind;
        bool snapshots_move;
        bool signatures_grow;
        bool may_move;
    } rules[] = {
        {TAG_VERSION, false, false, false},   {TAG_VERSION, true, false, false},
        {TAG_VERSION, false, true, false},    {TAG_VERSION, true, true, false},
        {TAG_SNAPSHOT, false, false, false},  {TAG_SNAPSHOT, true, false, true},
        {TAG_SNAPSHOT, false, true, false},   {TAG_SNAPSHOT, true, true, true},
        {TAG_SIGNATURE, false, false, false}, {TAG_SIGNATURE, true, false, false},
        {TAG_SIGNATURE, false, true, true},   {TAG_SIGNATURE, true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        assert_int_equal(
            tag_rule_may_move(rules[i].kind, rules[i].snapshots_move, rules[i].signatures_grow),
            rules[i].may_move);
    }
}

static void subject_of_a_signature_tag_is_the_digest_in_its_name(void **state)
{
    struct digest wanted;
    struct digest subject;

    (void)state;
    assert_int_equal(digest_parse(str_from("sha256:" HEX64), &wanted, NULL), OK);
    assert_true(tag_rule_subject(str_from("sha256-" HEX64 ".sig"), &subject));
    assert_true(digest_equal(&subject, &wanted));
    assert_false(tag_rule_subject(str_from("1.0"), &subject));
}

static void make(struct manifest *manifest, struct descriptor *descriptors, const char *layers,
                 const char *type, bool is_index)
{
    *manifest = (struct manifest){
        .format = is_index ? MANIFEST_OCI_INDEX : MANIFEST_OCI_IMAGE,
        .is_index = is_index,
        .descriptors = descriptors,
        .first_layer = is_index ? 0 : 1,
    };
    if (!is_index) {
        descriptors[0] = (struct descriptor){.digest = {.bytes = {'c', (uint8_t)layers[0]}}};
    }
    manifest->descriptor_count = manifest->first_layer;
    for (const char *layer = layers; *layer; layer++) {
        descriptors[manifest->descriptor_count++] = (struct descriptor){
            .digest = {.bytes = {(uint8_t)*layer}},
            .media_type = str_from(type),
        };
    }
}

static void signature_tag_takes_only_what_keeps_all_signatures(void **state)
{
    static const struct growth rows[] = {
        {"a", COSIGN, "ab", COSIGN, false, true},    {"a", COSIGN, "ba", COSIGN, false, true},
        {"ab", COSIGN, "cbad", COSIGN, false, true}, {"a", DSSE, "ab", DSSE, false, true},
        {"ab", COSIGN, "ab", COSIGN, false, true},   {"", COSIGN, "a", COSIGN, false, true},
        {"ab", COSIGN, "a", COSIGN, false, false},   {"ab", COSIGN, "ac", COSIGN, false, false},
        {"a", COSIGN, "b", COSIGN, false, false},    {"a", COSIGN, "", COSIGN, false, false},
        {"", COSIGN, "", COSIGN, false, false},      {"a", TAR, "ab", TAR, false, false},
        {"a", COSIGN, "ab", TAR, false, false},      {"a", TAR, "ab", COSIGN, false, false},
        {"a", COSIGN, "ab", DSSE, false, false},     {"a", IMAGE, "ab", IMAGE, true, true},
        {"", IMAGE, "a", IMAGE, true, true},         {"ab", IMAGE, "b", IMAGE, true, false},
        {"a", IMAGE, "", IMAGE, true, false},
    };
    struct descriptor old_descriptors[MAX_LAYERS];
    struct descriptor new_descriptors[MAX_LAYERS];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct manifest old_manifest;
        struct manifest new_manifest;

        make(&old_manifest, old_descriptors, rows[i].old_layers, rows[i].old_type,
             rows[i].is_index);
        make(&new_manifest, new_descriptors, rows[i].new_layers, rows[i].new_type,
             rows[i].is_index);
        assert_int_equal(tag_rule_grows(&old_manifest, &new_manifest), rows[i].grows);
    }
}

static void signature_tag_keeps_its_format(void **state)
{
    struct descriptor old_descriptors[MAX_LAYERS];
    struct descriptor new_descriptors[MAX_LAYERS];
    struct manifest old_manifest;
    struct manifest new_manifest;

    (void)state;
    make(&old_manifest, old_descriptors, "a", COSIGN, false);
    make(&new_manifest, new_descriptors, "ab", COSIGN, true);
    assert_false(tag_rule_grows(&old_manifest, &new_manifest));
    make(&new_manifest, new_descriptors, "ab", COSIGN, false);
    new_manifest.format = MANIFEST_DOCKER_IMAGE;
    assert_false(tag_rule_grows(&old_manifest, &new_manifest));
}

/* The layer is what was signed, and the signature an annotation of it. */
static void signature_tag_keeps_what_is_annotated(void **state)
{
    struct descriptor old_descriptors[MAX_LAYERS];
    struct descriptor new_descriptors[MAX_LAYERS];
    struct manifest old_manifest;
    struct manifest new_manifest;

    (void)state;
    make(&old_manifest, old_descriptors, "a", COSIGN, false);
    make(&new_manifest, new_descriptors, "aa", COSIGN, false);
    old_descriptors[1].annotations.bytes[0] = 1;
    assert_false(tag_rule_grows(&old_manifest, &new_manifest));
    new_descriptors[1].annotations.bytes[0] = 2;
    assert_false(tag_rule_grows(&old_manifest, &new_manifest));
    new_descriptors[2].annotations.bytes[0] = 1;
    assert_true(tag_rule_grows(&old_manifest, &new_manifest));
}

static void signature_tag_keeps_what_the_manifest_says_beside_its_layers(void **state)
{
    struct descriptor old_descriptors[MAX_LAYERS];
    struct descriptor new_descriptors[MAX_LAYERS];
    struct manifest old_manifest;

    (void)state;
    for (int change = 0; change <= 6; change++) {
        struct manifest new_manifest;

        make(&old_manifest, old_descriptors, "a", COSIGN, false);
        make(&new_manifest, new_descriptors, "ab", COSIGN, false);
        old_manifest.facts.has_config = change != 6;
        new_manifest.facts.has_config = true;
        new_manifest.annotations.bytes[0] = change == 1;
        new_manifest.facts.artifact_type = str_from(change == 2 ? "type" : "");
        new_manifest.facts.has_subject = change == 3;
        new_descriptors[0].media_type = str_from(change == 4 ? "type" : "");
        new_descriptors[0].annotations.bytes[0] = change == 5;
        assert_int_equal(tag_rule_grows(&old_manifest, &new_manifest), change == 0);
    }
    make(&old_manifest, old_descriptors, "a", COSIGN, false);
    old_manifest.facts.has_subject = true;
    struct manifest new_manifest = old_manifest;
    assert_true(tag_rule_grows(&old_manifest, &new_manifest));
    new_manifest.facts.subject.bytes[0] = 1;
    assert_false(tag_rule_grows(&old_manifest, &new_manifest));
}

static void config_of_signatures_only_gets_more_history(void **state)
{
#define OLD                                                                                        \
    "{\"created\":\"0\",\"os\":\"\",\"config\":{},\"history\":[{\"created\":\"1\"}],"              \
    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"a\"]}}"
    static const struct {
        const char *before;
        const char *after;
        bool grows;
    } rows[] = {
        {OLD, OLD, true},
        {OLD,
         "{\"rootfs\":{\"diff_ids\":[\"a\",\"b\"],\"type\":\"layers\"},\"os\":\"\",\"config\":{},"
         "\"history\":[{\"created\":\"1\"},{\"created\":\"2\"}]}",
         true},
        {OLD,
         "{\"created\":\"0\",\"os\":\"\",\"config\":{},\"history\":[{\"created\":\"2\"}],"
         "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"a\"]}}",
         false},
        {OLD,
         "{\"created\":\"0\",\"os\":\"\",\"config\":{},\"history\":[{\"created\":\"1\"}],"
         "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"b\",\"a\"]}}",
         false},
        {OLD,
         "{\"created\":\"0\",\"os\":\"\",\"config\":{},\"history\":[{\"created\":\"1\"}],"
         "\"rootfs\":{\"type\":\"other\",\"diff_ids\":[\"a\"]}}",
         false},
        {OLD, "{\"created\":\"0\",\"os\":\"\",\"config\":{},\"history\":[{\"created\":\"1\"}]}",
         false},
        {OLD,
         "{\"created\":\"0\",\"os\":\"\",\"config\":{\"Cmd\":[\"x\"]},"
         "\"history\":[{\"created\":\"1\"}],"
         "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"a\"]}}",
         false},
        {OLD, "[]", false},
        {"[]", "[]", false},
        {"{}", "{\"created\":\"1\",\"history\":[1]}", true},
        {"{}", "{\"history\":{}}", false},
        {"{\"history\":[]}", "{}", false},
        {"{}", "{\"Created\":\"1\"}", false},
        {"{}", "{\"more\":1}", false},
        {"{\"more\":1}", "{}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_value *before = NULL;
        struct json_value *after = NULL;

        assert_int_equal(json_value_parse(str_from(rows[i].before), &before, NULL), OK);
        assert_int_equal(json_value_parse(str_from(rows[i].after), &after, NULL), OK);
        assert_int_equal(tag_rule_config_grows(before, after), rows[i].grows);
        json_value_free(before);
        json_value_free(after);
    }
#undef OLD
}

static void signature_tag_grows_up_to_a_bound(void **state)
{
    struct descriptor descriptors[MAX_LAYERS + 1] = {{.size_bytes = 0}};
    struct manifest old_manifest = {
        .format = MANIFEST_OCI_INDEX, .is_index = true, .descriptors = descriptors};
    struct manifest new_manifest = old_manifest;

    (void)state;
    old_manifest.descriptor_count = 1;
    new_manifest.descriptor_count = TAG_RULE_MAX_GROWTH;
    assert_true(tag_rule_grows(&old_manifest, &new_manifest));
    new_manifest.descriptor_count++;
    assert_false(tag_rule_grows(&old_manifest, &new_manifest));
}

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
        cmocka_unit_test(kind_is_told_by_the_name_alone),
        cmocka_unit_test(only_latest_is_latest),
        cmocka_unit_test(versions_never_move_and_others_only_by_their_setting),
        cmocka_unit_test(subject_of_a_signature_tag_is_the_digest_in_its_name),
        cmocka_unit_test(signature_tag_takes_only_what_keeps_all_signatures),
        cmocka_unit_test(signature_tag_keeps_its_format),
        cmocka_unit_test(signature_tag_keeps_what_is_annotated),
        cmocka_unit_test(signature_tag_keeps_what_the_manifest_says_beside_its_layers),
        cmocka_unit_test(config_of_signatures_only_gets_more_history),
        cmocka_unit_test(signature_tag_grows_up_to_a_bound),
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
