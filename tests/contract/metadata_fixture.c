#include "tests/contract/metadata_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"

void metadata_fixture_reopen(struct metadata_fixture *fixture)
{
    metadata_free(fixture->metadata);
    fixture->metadata = fixture->driver->open();
}

struct manifest_push push_of(const char *repository, const char *tag, const char *content)
{
    return (struct manifest_push){
        .repository = str_from(repository),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, str_from(content)),
                     .media_type = str_from("application/vnd.oci.image.manifest.v1+json"),
                     .content = str_from(content),
                     .size_bytes = str_from(content).length},
        .tags = {{.name = str_from(tag)}},
        .tag_count = tag ? 1 : 0,
        .created_by = {str_from("employee"), str_from("somebody")},
        .created_ms = 1000,
    };
}

void must_push(struct metadata_fixture *fixture, const struct manifest_push *push)
{
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct tag_found found;
    struct error err = {0};

    assert_int_equal(metadata_push_manifest(fixture->metadata, push, &outcome, &found, &err), OK);
    assert_int_equal(outcome, PUSH_DONE);
}

struct digest push_text(struct metadata_fixture *fixture, const char *repository, const char *tag,
                        const char *content)
{
    const struct manifest_push push = push_of(repository, tag, content);

    must_push(fixture, &push);
    return push.manifest.digest;
}

void must_be_taken(struct metadata_fixture *fixture, const struct manifest_push *push,
                   const struct digest *by)
{
    enum push_outcome outcome = PUSH_DONE;
    struct tag_found found;

    assert_int_equal(metadata_push_manifest(fixture->metadata, push, &outcome, &found, NULL), OK);
    assert_int_equal(outcome, PUSH_TAG_TAKEN);
    assert_true(digest_equal(&found.digest, by));
}

bool has_manifest(struct metadata_fixture *fixture, const char *repository,
                  const struct digest *digest)
{
    bool is_there = false;

    assert_int_equal(
        metadata_has_manifest(fixture->metadata, str_from(repository), digest, &is_there, NULL),
        OK);
    return is_there;
}
