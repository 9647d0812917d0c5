#include "registry/manifest_parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

#define OCI_IMAGE "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define DOCKER_IMAGE "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define TAR "application/vnd.oci.image.layer.v1.tar"
#define FOREIGN "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
#define NON_DISTRIBUTABLE "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"

#define HEX31 "0123456789abcdef0123456789abcde"
#define DIGEST(digit) "sha256:" HEX31 HEX31 "f" digit
#define DESCRIPTOR(type, digit, size)                                                              \
    "{\"mediaType\":\"" type "\",\"digest\":\"" DIGEST(digit) "\",\"size\":" size "}"
#define ANNOTATED(annotations)                                                                     \
    "{\"mediaType\":\"" TAR                                                                        \
    "\",\"digest\":\"" DIGEST("1") "\",\"size\":1,\"annotations\":" annotations "}"
#define CONFIG DESCRIPTOR("application/vnd.oci.image.config.v1+json", "0", "10")
#define LAYER DESCRIPTOR(TAR, "1", "100")
#define V2 "\"schemaVersion\":2"
#define IMAGE(layers) "{" V2 ",\"config\":" CONFIG ",\"layers\":[" layers "]}"
#define IMAGE_WITH(members) "{" V2 ",\"config\":" CONFIG ",\"layers\":[" LAYER "]," members "}"
#define INDEX_WITH(members) "{" V2 ",\"manifests\":[" LAYER "]," members "}"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

/* Every test's manifest and memory. */
struct parsing {
    struct arena arena;
    struct manifest manifest;
    struct error err;
};

static int set_up(void **state)
{
    static struct parsing parsing;

    parsing = (struct parsing){0};
    arena_init(&parsing.arena, ARENA_BYTES);
    *state = &parsing;
    return 0;
}

static int tear_down(void **state)
{
    struct parsing *parsing = *state;

    arena_release(&parsing->arena);
    return 0;
}

static enum error_code parse(struct parsing *parsing, const char *content, const char *type)
{
    parsing->err = (struct error){0};
    return manifest_parse(str_from(content), str_from(type), &parsing->arena, &parsing->manifest,
                          &parsing->err);
}

static bool is_digest(const struct digest *digest, const char *text)
{
    struct digest wanted;

    return digest_parse(str_from(text), &wanted, NULL) == OK && digest_equal(digest, &wanted);
}

static void four_formats_are_taken(void **state)
{
    static const struct {
        const char *type;
        const char *content;
        enum manifest_format format;
        bool is_index;
    } rows[] = {
        {OCI_IMAGE, IMAGE(LAYER), MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE, IMAGE(""), MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE, IMAGE_WITH("\"mediaType\":\"" OCI_IMAGE "\""), MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE "; charset=utf-8", IMAGE_WITH("\"mediaType\":\"" OCI_IMAGE "\""),
         MANIFEST_OCI_IMAGE, false},
        {" " OCI_IMAGE " ;x=y", IMAGE(LAYER), MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE, IMAGE_WITH("\"unknown\":{\"deep\":[1,null]}"), MANIFEST_OCI_IMAGE, false},
        {OCI_INDEX, INDEX_WITH("\"mediaType\":\"" OCI_INDEX "\""), MANIFEST_OCI_INDEX, true},
        {OCI_INDEX, "{" V2 ",\"manifests\":[]}", MANIFEST_OCI_INDEX, true},
        {DOCKER_IMAGE, IMAGE_WITH("\"mediaType\":\"" DOCKER_IMAGE "\""), MANIFEST_DOCKER_IMAGE,
         false},
        {DOCKER_LIST, INDEX_WITH("\"mediaType\":\"" DOCKER_LIST "\""), MANIFEST_DOCKER_LIST, true},
        {OCI_IMAGE, "{" V2 ",\"config\":" CONFIG "}", MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE, "{" V2 ",\"config\":" CONFIG ",\"layers\":null}", MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE,
         IMAGE_WITH("\"mediaType\":null,\"subject\":null,\"annotations\":null,"
                    "\"artifactType\":null"),
         MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE, IMAGE(ANNOTATED("null,\"platform\":null,\"urls\":null")), MANIFEST_OCI_IMAGE,
         false},
        {OCI_INDEX, "{" V2 ",\"manifests\":null}", MANIFEST_OCI_INDEX, true},
        {"Application/VND.OCI.image.manifest.v1+JSON",
         IMAGE_WITH("\"mediaType\":\"application/vnd.oci.IMAGE.manifest.v1+json\""),
         MANIFEST_OCI_IMAGE, false},
        {OCI_IMAGE, IMAGE_WITH("\"annotations\":{\"Layers\":\"\",\"layers\":\"\"}"),
         MANIFEST_OCI_IMAGE, false},
    };
    struct parsing *parsing = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(parse(parsing, rows[i].content, rows[i].type), OK);
        assert_int_equal(parsing->manifest.format, rows[i].format);
        assert_int_equal(parsing->manifest.is_index, rows[i].is_index);
        assert_true(str_is_ignoring_case(
            str_slice(str_trim(str_from(rows[i].type)), 0, strlen(parsing->manifest.media_type)),
            parsing->manifest.media_type));
    }
}

static const struct {
    const char *type;
    const char *content;
    const char *reason; /* that the message holds */
} bad_manifests[] = {
    {OCI_IMAGE, "", "JSON"},
    {OCI_IMAGE, "{", "JSON"},
    {OCI_IMAGE, "\xff", "JSON"},
    {OCI_IMAGE, IMAGE(LAYER) "x", "JSON"},
    {OCI_IMAGE, "{" V2 "," V2 ",\"config\":" CONFIG ",\"layers\":[]}", "JSON"},
    {OCI_IMAGE, "[]", "object"},
    {OCI_IMAGE, "null", "object"},
    {OCI_IMAGE, "\"" OCI_IMAGE "\"", "object"},
    {OCI_IMAGE, "{}", "schemaVersion"},
    {OCI_IMAGE, "{\"schemaVersion\":\"2\"}", "schemaVersion"},
    {OCI_IMAGE, "{\"schemaVersion\":3}", "schemaVersion"},
    {OCI_IMAGE, "{\"schemaVersion\":2.0}", "schemaVersion"},
    {OCI_IMAGE, "{\"schemaVersion\":-2}", "schemaVersion"},
    {OCI_IMAGE, IMAGE_WITH("\"mediaType\":\"" DOCKER_IMAGE "\""), "Content-Type"},
    {OCI_IMAGE, IMAGE_WITH("\"mediaType\":\"" OCI_INDEX "\""), "Content-Type"},
    {OCI_IMAGE, IMAGE_WITH("\"mediaType\":\"\""), "Content-Type"},
    {OCI_IMAGE, IMAGE_WITH("\"mediaType\":7"), "Content-Type"},
    {OCI_IMAGE, IMAGE_WITH("\"manifests\":[]"), "CVE-2021-41190"},
    {OCI_IMAGE, IMAGE_WITH("\"manifests\":null"), "CVE-2021-41190"},
    {OCI_INDEX, INDEX_WITH("\"layers\":[]"), "CVE-2021-41190"},
    {OCI_INDEX, INDEX_WITH("\"config\":" CONFIG), "CVE-2021-41190"},
    {DOCKER_LIST, INDEX_WITH("\"layers\":[" LAYER "]"), "CVE-2021-41190"},
    {OCI_IMAGE, IMAGE_WITH("\"fsLayers\":[]"), "schema 1"},
    {OCI_IMAGE, "{" V2 ",\"layers\":[]}", "config"},
    {OCI_IMAGE, "{" V2 ",\"config\":null,\"layers\":[]}", "config is missing"},
    {OCI_IMAGE, "{" V2 ",\"config\":" CONFIG ",\"layers\":{}}", "layers"},
    {OCI_INDEX, "{" V2 "}", "manifests"},
    {OCI_INDEX, "{" V2 ",\"manifests\":7}", "manifests"},
    {OCI_IMAGE, IMAGE("7"), "object"},
    {OCI_IMAGE, IMAGE("{}"), "digest"},
    {OCI_IMAGE, IMAGE("{\"mediaType\":\"a\",\"digest\":\"sha256:ab\",\"size\":1}"), "sha256"},
    {OCI_IMAGE, IMAGE("{\"mediaType\":\"a\",\"digest\":7,\"size\":1}"), "digest"},
    {OCI_IMAGE, IMAGE("{\"digest\":\"" DIGEST("1") "\",\"size\":1}"), "mediaType"},
    {OCI_IMAGE, IMAGE("{\"mediaType\":1,\"digest\":\"" DIGEST("1") "\",\"size\":1}"), "mediaType"},
    {OCI_IMAGE, IMAGE("{\"mediaType\":\"a\",\"digest\":\"" DIGEST("1") "\"}"), "size"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "-1")), "size"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "1.5")), "size"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "\"1\"")), "size"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "9223372036854775808")), "JSON"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "9223372036854775807")), "add up"},
    {OCI_IMAGE, IMAGE_WITH("\"subject\":\"" DIGEST("1") "\""), "object"},
    {OCI_IMAGE, IMAGE_WITH("\"subject\":{\"mediaType\":\"a\",\"size\":1}"), "digest"},
    {OCI_IMAGE, IMAGE_WITH("\"artifactType\":7"), "artifactType"},
    {OCI_IMAGE, IMAGE_WITH("\"annotations\":[]"), "annotations"},
    {OCI_IMAGE, IMAGE_WITH("\"annotations\":{\"a\":1}"), "annotations"},
    {OCI_IMAGE, IMAGE_WITH("\"annotations\":{\"a\":{\"b\":\"c\"}}"), "annotations"},
    {OCI_IMAGE, IMAGE(ANNOTATED("[]")), "annotations"},
    {OCI_IMAGE, IMAGE(ANNOTATED("{\"a\":1}")), "annotations"},
    {OCI_IMAGE, IMAGE("null"), "object"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "1.0")), "size"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "1e3")), "size"},
    {OCI_IMAGE, IMAGE(DESCRIPTOR(TAR, "1", "null")), "size"},
};

/* What Go's decoder, and so most clients, would read as another member than we do. */
static const struct {
    const char *type;
    const char *content;
    const char *names; /* that the message holds */
} ambiguous[] = {
    {OCI_IMAGE, IMAGE_WITH("\"Config\":" CONFIG),
     "\"Config\", which some programs take for \"config\""},
    {OCI_IMAGE, IMAGE_WITH("\"LAYERS\":[]"), "\"LAYERS\", which some programs take for \"layers\""},
    {OCI_IMAGE, IMAGE_WITH("\"layer\xc5\xbf\":[]"), "\"layers\""},
    {OCI_IMAGE, IMAGE_WITH("\"layer\\u017f\":[]"), "\"layers\""},
    {OCI_IMAGE, IMAGE_WITH("\"\\u004cayers\":[]"), "\"layers\""},
    {OCI_IMAGE, IMAGE_WITH("\"Manifests\":[]"), "\"manifests\""},
    {OCI_IMAGE, IMAGE_WITH("\"FsLayers\":[]"), "\"fsLayers\""},
    {OCI_IMAGE, IMAGE_WITH("\"mediatype\":\"" OCI_INDEX "\""), "\"mediaType\""},
    {OCI_IMAGE, IMAGE_WITH("\"SchemaVersion\":1"), "\"schemaVersion\""},
    {OCI_IMAGE, IMAGE_WITH("\"Subject\":" LAYER), "\"subject\""},
    {OCI_IMAGE, IMAGE_WITH("\"Annotations\":{}"), "\"annotations\""},
    {OCI_IMAGE, IMAGE_WITH("\"ArtifactType\":\"a\""), "\"artifactType\""},
    {OCI_IMAGE, "{" V2 ",\"Config\":" CONFIG ",\"layers\":[]}", "\"config\""},
    {OCI_IMAGE, IMAGE(ANNOTATED("{},\"Digest\":\"" DIGEST("2") "\"")), "\"digest\""},
    {OCI_IMAGE, IMAGE(ANNOTATED("{},\"Size\":2")), "\"size\""},
    {OCI_IMAGE, IMAGE(ANNOTATED("{},\"\xc5\xbfize\":2")), "\"size\""},
    {OCI_IMAGE, IMAGE(ANNOTATED("{},\"URLs\":[]")), "\"urls\""},
    {OCI_IMAGE, IMAGE(ANNOTATED("{},\"DATA\":\"\"")), "\"data\""},
    {OCI_IMAGE, IMAGE_WITH("\"subject\":" ANNOTATED("{},\"Digest\":\"a\"")), "\"digest\""},
    {OCI_INDEX, "{" V2 ",\"manifests\":[],\"Manifests\":[]}", "\"manifests\""},
    {OCI_INDEX, INDEX_WITH("\"Layers\":[]"), "\"layers\""},
    {OCI_INDEX, "{" V2 ",\"manifests\":[" ANNOTATED("{},\"Platform\":{}") "]}", "\"platform\""},
    {OCI_INDEX, "{" V2 ",\"manifests\":[" ANNOTATED("{},\"platform\":{\"OS\":\"\"}") "]}",
     "\"os\""},
    {OCI_INDEX, "{" V2 ",\"manifests\":[" ANNOTATED("{},\"platform\":{\"o\xc5\xbf\":\"\"}") "]}",
     "\"os\""},
    {OCI_IMAGE, IMAGE_WITH("\"annotations\":{\"a\":\"1\",\"a\":\"2\"}"), "duplicate"},
    {OCI_IMAGE, IMAGE_WITH("\"\\u006cayers\":[]"), "duplicate"},
    {OCI_IMAGE, IMAGE_WITH("\"unknown\":[{\"a\":1,\"a\":2}]"), "duplicate"},
    {OCI_IMAGE, IMAGE(ANNOTATED("{},\"size\":2")), "duplicate"},
};

static void what_others_read_otherwise_is_refused(void **state)
{
    struct parsing *parsing = *state;

    for (size_t i = 0; i < ARRAY_LEN(ambiguous); i++) {
        assert_int_equal(parse(parsing, ambiguous[i].content, ambiguous[i].type), ERROR_INVALID);
        assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
        if (!strstr(parsing->err.message, ambiguous[i].names)) {
            fail_msg("'%s' does not say '%s'", parsing->err.message, ambiguous[i].names);
        }
    }
}

static void bad_manifests_are_refused_with_a_reason(void **state)
{
    struct parsing *parsing = *state;

    parsing->manifest.descriptor_count = 42;
    for (size_t i = 0; i < ARRAY_LEN(bad_manifests); i++) {
        assert_int_equal(parse(parsing, bad_manifests[i].content, bad_manifests[i].type),
                         ERROR_INVALID);
        assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
        if (!strstr(parsing->err.message, bad_manifests[i].reason)) {
            fail_msg("'%s' does not say '%s'", parsing->err.message, bad_manifests[i].reason);
        }
        assert_int_equal(parsing->manifest.descriptor_count, 42);
    }
}

static void other_content_types_are_told_which_are_taken(void **state)
{
    static const char *const types[] = {
        "",
        ";",
        "application/json",
        "text/plain",
        (OCI_IMAGE "x"),
        "application/vnd.oci.image.*",
        (OCI_IMAGE ", " OCI_INDEX),
    };
    struct parsing *parsing = *state;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        assert_int_equal(parse(parsing, IMAGE(LAYER), types[i]), ERROR_INVALID);
        assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
        assert_non_null(strstr(parsing->err.message, OCI_IMAGE));
        assert_non_null(strstr(parsing->err.message, OCI_INDEX));
        assert_non_null(strstr(parsing->err.message, DOCKER_IMAGE));
        assert_non_null(strstr(parsing->err.message, DOCKER_LIST));
    }
}

static void schema_1_is_refused_with_what_to_do(void **state)
{
    static const struct {
        const char *type;
        const char *content;
    } rows[] = {
        {"application/vnd.docker.distribution.manifest.v1+json", "{\"schemaVersion\":1}"},
        {"application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1}"},
        {"application/vnd.docker.distribution.manifest.v1+prettyjws; charset=utf-8", "not JSON"},
        {DOCKER_IMAGE, "{\"schemaVersion\":1,\"fsLayers\":[]}"},
        {OCI_IMAGE, "{\"schemaVersion\":1,\"name\":\"team/app\"}"},
        {"application/json", "{\"schemaVersion\":1,\"fsLayers\":[]}"},
        {"Application/vnd.docker.distribution.manifest.V1+json", "{}"},
        {"", "{\"schemaVersion\":1}"},
    };
    struct parsing *parsing = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(parse(parsing, rows[i].content, rows[i].type), ERROR_UNSUPPORTED);
        assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
        assert_non_null(strstr(parsing->err.message, "schema 1"));
        assert_non_null(strstr(parsing->err.message, "schema 2 or OCI"));
    }
}

static void image_names_its_config_and_then_its_layers(void **state)
{
    static const char content[] = IMAGE(
        LAYER "," DESCRIPTOR(FOREIGN, "2", "200") "," DESCRIPTOR(NON_DISTRIBUTABLE, "3", "0"));
    struct parsing *parsing = *state;
    const struct manifest *manifest = &parsing->manifest;

    assert_int_equal(parse(parsing, content, OCI_IMAGE), OK);
    assert_int_equal(manifest->descriptor_count, 4);
    assert_int_equal(manifest->first_layer, 1);
    assert_true(is_digest(&manifest->descriptors[0].digest, DIGEST("0")));
    assert_true(is_digest(&manifest->descriptors[1].digest, DIGEST("1")));
    assert_int_equal(manifest->descriptors[1].size_bytes, 100);
    assert_true(str_is(manifest->descriptors[1].media_type, TAR));
    assert_false(manifest->descriptors[0].may_be_elsewhere);
    assert_false(manifest->descriptors[1].may_be_elsewhere);
    assert_true(manifest->descriptors[2].may_be_elsewhere);
    assert_true(manifest->descriptors[3].may_be_elsewhere);
}

static void only_layers_may_be_elsewhere(void **state)
{
    static const char content[] =
        "{" V2 ",\"config\":" DESCRIPTOR(FOREIGN, "0", "10") ",\"layers\":[" LAYER "]}";
    struct parsing *parsing = *state;

    assert_int_equal(parse(parsing, content, OCI_IMAGE), OK);
    assert_false(parsing->manifest.descriptors[0].may_be_elsewhere);
}

static void facts_of_an_image_come_from_its_content(void **state)
{
    static const char content[] = IMAGE_WITH("\"subject\":" DESCRIPTOR(OCI_IMAGE, "9", "7"));
    struct parsing *parsing = *state;
    const struct manifest_facts *facts = &parsing->manifest.facts;

    assert_int_equal(parse(parsing, content, OCI_IMAGE), OK);
    assert_true(facts->has_config);
    assert_true(is_digest(&facts->config, DIGEST("0")));
    assert_true(facts->has_subject);
    assert_true(is_digest(&facts->subject, DIGEST("9")));
    assert_int_equal(facts->image_size_bytes, strlen(content) + 10 + 100);
    assert_int_equal(parsing->manifest.descriptor_count, 2);
}

static void index_has_entries_but_neither_config_nor_size(void **state)
{
    struct parsing *parsing = *state;
    const struct manifest_facts *facts = &parsing->manifest.facts;

    assert_int_equal(parse(parsing, INDEX_WITH("\"x\":1"), OCI_INDEX), OK);
    assert_int_equal(parsing->manifest.first_layer, 0);
    assert_int_equal(parsing->manifest.descriptor_count, 1);
    assert_false(facts->has_config);
    assert_false(facts->has_subject);
    assert_int_equal(facts->image_size_bytes, 0);
    assert_int_equal(facts->artifact_type.length, 0);
    assert_int_equal(facts->annotations.length, 0);
}

static void artifact_type_falls_back_to_the_configs_media_type(void **state)
{
    static const struct {
        const char *type;
        const char *content;
        const char *artifact_type;
    } rows[] = {
        {OCI_IMAGE, IMAGE_WITH("\"artifactType\":\"a/b\""), "a/b"},
        {OCI_IMAGE, IMAGE_WITH("\"artifactType\":\"\""),
         "application/vnd.oci.image.config.v1+json"},
        {OCI_IMAGE, IMAGE(LAYER), "application/vnd.oci.image.config.v1+json"},
        {OCI_INDEX, INDEX_WITH("\"artifactType\":\"a/b\""), "a/b"},
        {OCI_INDEX, "{" V2 ",\"manifests\":[]}", ""},
    };
    struct parsing *parsing = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(parse(parsing, rows[i].content, rows[i].type), OK);
        assert_true(str_is(parsing->manifest.facts.artifact_type, rows[i].artifact_type));
    }
}

static void annotations_of_a_referrer_are_kept_as_json(void **state)
{
#define MEMBERS "\"annotations\": { \"a\" : \"b\", \"\\u0063\": \"\\\"\\/\" }"
    struct parsing *parsing = *state;

    assert_int_equal(parse(parsing, IMAGE_WITH(MEMBERS), OCI_IMAGE), OK);
    assert_int_equal(parsing->manifest.facts.annotations.length, 0);
    assert_int_equal(parse(parsing, IMAGE_WITH(MEMBERS ",\"subject\":" LAYER), OCI_IMAGE), OK);
    assert_true(str_is(parsing->manifest.facts.annotations, "{\"a\":\"b\",\"c\":\"\\\"/\"}"));
}

static void layers_differ_by_their_annotations(void **state)
{
    static const char content[] = IMAGE(LAYER "," ANNOTATED("{\"a\":\"b\"}") "," ANNOTATED(
        "{\"a\":\"c\"}") "," ANNOTATED("{ \"a\" : \"\\u0062\" }") "," ANNOTATED("{}"));
    struct parsing *parsing = *state;
    const struct descriptor *layers = NULL;

    assert_int_equal(parse(parsing, content, OCI_IMAGE), OK);
    layers = &parsing->manifest.descriptors[1];
    assert_false(digest_equal(&layers[0].annotations, &layers[1].annotations));
    assert_false(digest_equal(&layers[1].annotations, &layers[2].annotations));
    assert_true(digest_equal(&layers[1].annotations, &layers[3].annotations));
    assert_false(digest_equal(&layers[1].annotations, &layers[4].annotations));
}

/* An index of so many entries. */
static void write_index(struct strbuf *text, size_t entries)
{
    strbuf_init(text, ARENA_BYTES);
    strbuf_append_text(text, "{" V2 ",\"manifests\":[");
    for (size_t i = 0; i < entries; i++) {
        strbuf_append_text(text, i > 0 ? "," LAYER : LAYER);
    }
    strbuf_append_text(text, "]}");
}

static void number_of_descriptors_is_bounded(void **state)
{
    struct parsing *parsing = *state;
    struct strbuf text;

    write_index(&text, MANIFEST_MAX_DESCRIPTORS);
    assert_int_equal(parse(parsing, text.text, OCI_INDEX), OK);
    assert_int_equal(parsing->manifest.descriptor_count, MANIFEST_MAX_DESCRIPTORS);
    strbuf_release(&text);
    write_index(&text, MANIFEST_MAX_DESCRIPTORS + 1);
    assert_int_equal(parse(parsing, text.text, OCI_INDEX), ERROR_TOO_LARGE);
    assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
    strbuf_release(&text);
}

static void annotations_are_bounded(void **state)
{
    struct parsing *parsing = *state;
    struct strbuf text;

    strbuf_init(&text, ARENA_BYTES);
    strbuf_append_text(&text, "{" V2 ",\"manifests\":[],\"annotations\":{\"a\":\"");
    for (size_t i = 0; i <= MANIFEST_MAX_ANNOTATIONS_BYTES; i++) {
        strbuf_append_byte(&text, 'a');
    }
    strbuf_append_text(&text, "\"}}");
    assert_int_equal(parse(parsing, text.text, OCI_INDEX), ERROR_TOO_LARGE);
    assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
    strbuf_release(&text);
}

static void deep_json_is_refused(void **state)
{
    struct parsing *parsing = *state;
    struct strbuf text;

    strbuf_init(&text, ARENA_BYTES);
    strbuf_append_text(&text, "{" V2 ",\"manifests\":");
    for (size_t i = 0; i < 100000; i++) {
        strbuf_append_byte(&text, '[');
    }
    assert_int_equal(parse(parsing, text.text, OCI_INDEX), ERROR_INVALID);
    assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
    strbuf_release(&text);
}

/* Wherever the memory ends, that is what is said. */
static void full_arena_is_too_large(void **state)
{
    static const char content[] =
        IMAGE_WITH("\"artifactType\":\"a/b\",\"annotations\":{\"a\":\"b\"}");
    struct parsing *parsing = *state;
    enum error_code code = ERROR_TOO_LARGE;

    for (size_t limit_bytes = 0; code; limit_bytes += 8) {
        struct arena small;

        arena_init(&small, limit_bytes);
        code = manifest_parse(str_from(content), str_from(OCI_IMAGE), &small, &parsing->manifest,
                              &parsing->err);
        arena_release(&small);
        assert_true(code == OK || code == ERROR_TOO_LARGE);
        assert_int_equal(parsing->err.topic, ABOUT_MANIFEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_formats_are_taken),
        cmocka_unit_test(bad_manifests_are_refused_with_a_reason),
        cmocka_unit_test(what_others_read_otherwise_is_refused),
        cmocka_unit_test(other_content_types_are_told_which_are_taken),
        cmocka_unit_test(schema_1_is_refused_with_what_to_do),
        cmocka_unit_test(image_names_its_config_and_then_its_layers),
        cmocka_unit_test(only_layers_may_be_elsewhere),
        cmocka_unit_test(facts_of_an_image_come_from_its_content),
        cmocka_unit_test(index_has_entries_but_neither_config_nor_size),
        cmocka_unit_test(artifact_type_falls_back_to_the_configs_media_type),
        cmocka_unit_test(annotations_of_a_referrer_are_kept_as_json),
        cmocka_unit_test(layers_differ_by_their_annotations),
        cmocka_unit_test(number_of_descriptors_is_bounded),
        cmocka_unit_test(annotations_are_bounded),
        cmocka_unit_test(deep_json_is_refused),
        cmocka_unit_test(full_arena_is_too_large),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
