#include "fuzz.h"

#include <assert.h>

#include "base/json_value.h"
#include "registry/manifest_parser.h"
#include "registry/tag_rule.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static void check_refusal(enum error_code code, const struct error *err);
static void check_manifest(const struct manifest *manifest, size_t length);
static void check_descriptor(const struct descriptor *descriptor);
static void check_facts(const struct manifest *manifest);

/* A line with the Content-Type, then the manifest. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct str content = {(const char *)bytes, length};
    struct str type = {0};
    struct manifest manifest;
    struct error err = {0};
    struct arena arena;
    enum error_code code = OK;

    (void)str_cut(&content, '\n', &type);
    arena_init(&arena, ARENA_BYTES);
    code = manifest_parse(content, type, &arena, &manifest, &err);
    if (code) {
        check_refusal(code, &err);
    } else {
        check_manifest(&manifest, content.length);
        check_facts(&manifest);
    }
    arena_release(&arena);
    return 0;
}

static void check_refusal(enum error_code code, const struct error *err)
{
    assert(code == ERROR_INVALID || code == ERROR_UNSUPPORTED || code == ERROR_TOO_LARGE);
    assert(err->topic == ABOUT_MANIFEST);
    assert(err->message[0]);
}

static void check_manifest(const struct manifest *manifest, size_t length)
{
    const size_t layers = manifest->descriptor_count - manifest->first_layer;
    uint64_t sum = length;

    assert(manifest->first_layer == (manifest->is_index ? 0 : 1));
    assert(manifest->first_layer <= manifest->descriptor_count);
    assert(layers <= MANIFEST_MAX_DESCRIPTORS);
    for (size_t i = 0; i < manifest->descriptor_count; i++) {
        check_descriptor(&manifest->descriptors[i]);
        sum += manifest->descriptors[i].size_bytes;
        assert(manifest->is_index || sum <= INT64_MAX);
    }
    assert(manifest->facts.image_size_bytes == (manifest->is_index ? 0 : sum));
    /* What replaces nothing loses nothing. */
    assert(!manifest->is_index || layers > TAG_RULE_MAX_GROWTH ||
           tag_rule_grows(manifest, manifest));
}

static void check_descriptor(const struct descriptor *descriptor)
{
    char text[DIGEST_TEXT_BYTES];
    struct digest again;

    digest_format(&descriptor->digest, text);
    assert(digest_parse(str_from(text), &again, NULL) == OK);
    assert(digest_equal(&again, &descriptor->digest));
    assert(descriptor->size_bytes <= INT64_MAX);
    assert(descriptor->media_type.length > 0);
}

static void check_facts(const struct manifest *manifest)
{
    const struct manifest_facts *facts = &manifest->facts;
    struct json_value *json = NULL;

    assert(facts->has_config == !manifest->is_index);
    assert(!facts->has_config || digest_equal(&facts->config, &manifest->descriptors[0].digest));
    assert(!facts->has_config || facts->artifact_type.length > 0);
    if (facts->annotations.length > 0) {
        assert(json_value_parse(facts->annotations, &json, NULL) == OK);
        assert(json_value_is_object(json));
        json_value_free(json);
    }
}
