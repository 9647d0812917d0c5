/* Manifests as clients send them: whatever else is refused, these are not. */
#include "registry/manifest_parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OCI_IMAGE "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define DOCKER_IMAGE "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define BUNDLE "application/vnd.dev.sigstore.bundle.v0.3+json"
#define CACHE_CONFIG "application/vnd.buildkit.cacheconfig.v0"

#define HEX63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define DIGEST(digit) "sha256:" HEX63 #digit
#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define BEGIN(type) "{\"schemaVersion\":2,\"mediaType\":\"" type "\","

/* A descriptor; `more` are its other members, each with a comma before it. */
#define DESCRIPTOR(type, digit, more)                                                              \
    "{\"mediaType\":\"" type "\",\"digest\":\"" DIGEST(digit) "\",\"size\":1234" more "}"
/* image-spec "Guidance for an Empty Descriptor" */
#define EMPTY                                                                                      \
    "{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"" EMPTY_DIGEST              \
    "\",\"size\":2,\"data\":\"e30=\"}"
#define PLATFORM(architecture)                                                                     \
    ",\"platform\":{\"architecture\":\"" architecture "\",\"os\":\"linux\"}"

enum { ARENA_BYTES = 1 << 20 };

static const struct sent {
    const char *client;
    const char *type;
    const char *content;
    const char *artifact_type;
    size_t descriptor_count;
    size_t elsewhere_count; /* of them need not be here */
    bool has_subject;
} manifests[] = {
    {"docker push", DOCKER_IMAGE,
     "{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"" DOCKER_IMAGE
     "\",\n   \"config\": " DESCRIPTOR(
         DOCKER_CONFIG, 1,
         "") ",\n   \"layers\": [\n      " DESCRIPTOR("application/"
                                                      "vnd.docker.image.rootfs.diff.tar.gzip",
                                                      2, "") "\n   ]\n}",
     DOCKER_CONFIG, 2, 0, false},
    {"docker push of Windows", DOCKER_IMAGE,
     BEGIN(DOCKER_IMAGE) "\"config\":" DESCRIPTOR(DOCKER_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", 2,
         ",\"urls\":[\"https://mcr.microsoft.com/v2/windows\"]") "," DESCRIPTOR("application/"
                                                                                "vnd.docker.image."
                                                                                "rootfs.diff.tar."
                                                                                "gzip",
                                                                                3, "") "]}",
     DOCKER_CONFIG, 3, 1, false},
    {"docker manifest push", DOCKER_LIST,
     BEGIN(DOCKER_LIST) "\"manifests\":[" DESCRIPTOR(
         DOCKER_IMAGE, 1,
         PLATFORM(
             "amd64")) "," DESCRIPTOR(DOCKER_IMAGE, 2,
                                      ",\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\","
                                      "\"os.version\":\"1\",\"variant\":\"v7\",\"features\":["
                                      "\"sse4\"]}") "]}",
     "", 2, 0, false},
    {"podman push", OCI_IMAGE,
     "{\"schemaVersion\":2,\"config\":" DESCRIPTOR(OCI_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.oci.image.layer.v1.tar+gzip", 2, "") "]}",
     OCI_CONFIG, 2, 0, false},
    {"buildah push", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"config\":" DESCRIPTOR(OCI_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.oci.image.layer.v1.tar+gzip", 2,
         "") "],"
             "\"annotations\":{\"org.opencontainers.image.base.digest\":\"\","
             "\"org.opencontainers.image.base.name\":\"\"}}",
     OCI_CONFIG, 2, 0, false},
    {"buildah manifest push", OCI_INDEX,
     BEGIN(OCI_INDEX) "\"manifests\":[" DESCRIPTOR(OCI_IMAGE, 1, PLATFORM("amd64")) "," DESCRIPTOR(
         OCI_IMAGE, 2, PLATFORM("arm64") ",\"annotations\":{\"a\":\"b\"}") "]}",
     "", 2, 0, false},
    {"skopeo copy, zstd", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"config\":" DESCRIPTOR(OCI_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.oci.image.layer.v1.tar+zstd", 2,
         ",\"annotations\":{\"io.github.containers.zstd-chunked.manifest-position\":"
         "\"1:2:3:1\"}") "]}",
     OCI_CONFIG, 2, 0, false},
    {"skopeo copy of a non-distributable layer", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"config\":" DESCRIPTOR(OCI_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", 2,
         ",\"urls\":[\"https://example.org/\"]") "]}",
     OCI_CONFIG, 2, 1, false},
    {"BuildKit, with an attestation", OCI_INDEX,
     BEGIN(OCI_INDEX) "\"manifests\":[" DESCRIPTOR(OCI_IMAGE, 1, PLATFORM("amd64")) "," DESCRIPTOR(
         OCI_IMAGE, 2,
         ",\"annotations\":{\"vnd.docker.reference.digest\":\"" DIGEST(
             1) "\",\"vnd.docker.reference.type\":\"attestation-manifest\"},"
                "\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"}") "]}",
     "", 2, 0, false},
    {"BuildKit, the attestation", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"config\":" DESCRIPTOR(OCI_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.in-toto+json", 2,
         ",\"annotations\":{\"in-toto.io/predicate-type\":"
         "\"https://slsa.dev/provenance/v0.2\"}") "]}",
     OCI_CONFIG, 2, 0, false},
    {"BuildKit's cache", OCI_INDEX,
     BEGIN(OCI_INDEX) "\"manifests\":[" DESCRIPTOR(
         "application/vnd.oci.image.layer.v1.tar+gzip", 1,
         ",\"annotations\":{\"buildkit/createdat\":\"2015-05-07T15:49:51Z\","
         "\"containerd.io/uncompressed\":\"" DIGEST(3) "\"}") "," DESCRIPTOR(CACHE_CONFIG, 2,
                                                                             "") "]}",
     "", 2, 0, false},
    {"BuildKit's cache, image-manifest=true", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"config\":" DESCRIPTOR(CACHE_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.oci.image.layer.v1.tar+gzip", 2, "") "]}",
     CACHE_CONFIG, 2, 0, false},
    {"helm push", OCI_IMAGE,
     "{\"schemaVersion\":2,\"config\":" DESCRIPTOR(
         "application/vnd.cncf.helm.config.v1+json", 1,
         "") ",\"layers\":[" DESCRIPTOR("application/vnd.cncf.helm.chart.provenance.v1.prov", 2,
                                        "") "," DESCRIPTOR("application/"
                                                           "vnd.cncf.helm.chart.content.v1.tar+"
                                                           "gzip",
                                                           3, "") "],"
                                                                  "\"annotations\":{\"org."
                                                                  "opencontainers.image.title\":"
                                                                  "\"chart\","
                                                                  "\"org.opencontainers.image."
                                                                  "description\":\"\\\"quoted\\\" "
                                                                  "\\u2013 and more\"}}",
     "application/vnd.cncf.helm.config.v1+json", 3, 0, false},
    {"cosign sign", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"config\":" DESCRIPTOR(OCI_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.dev.cosign.simplesigning.v1+json", 2,
         ",\"annotations\":{\"dev.cosignproject.cosign/signature\":\"MEUCIQ==\","
         "\"dev.sigstore.cosign/certificate\":\"-----BEGIN CERTIFICATE-----\\nMII\\n\"}") "]}",
     OCI_CONFIG, 2, 0, false},
    {"cosign attest", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"config\":" DESCRIPTOR(OCI_CONFIG, 1, "") ",\"layers\":[" DESCRIPTOR(
         "application/vnd.dsse.envelope.v1+json", 2,
         ",\"annotations\":{\"dev.cosignproject.cosign/signature\":\"\","
         "\"predicateType\":\"https://slsa.dev/provenance/v1\"}") "]}",
     OCI_CONFIG, 2, 0, false},
    {"cosign sign --new-bundle-format", OCI_IMAGE,
     BEGIN(
         OCI_IMAGE) "\"artifactType\":\"" BUNDLE "\",\"config\":" EMPTY
                    ",\"layers\":[" DESCRIPTOR(BUNDLE, 1, "") "],\"subject\":" DESCRIPTOR(
                        OCI_IMAGE, 2,
                        "") ","
                            "\"annotations\":{\"dev.sigstore.bundle.content\":\"dsse-envelope\"}}",
     BUNDLE, 2, 0, true},
    {"oras push", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"artifactType\":\"application/vnd.example\",\"config\":" EMPTY
                      ",\"layers\":[" DESCRIPTOR(
                          "text/plain", 1,
                          ",\"annotations\":{\"org.opencontainers.image."
                          "title\":\"a file.txt\"}") "],"
                                                     "\"annotations\":{\"org."
                                                     "opencontainers.image."
                                                     "created\":\"2015-05-"
                                                     "07T15:49:51Z\"}}",
     "application/vnd.example", 2, 0, false},
    {"oras attach, no files", OCI_IMAGE,
     BEGIN(OCI_IMAGE) "\"artifactType\":\"application/vnd.example\",\"config\":" EMPTY
                      ",\"layers\":[" EMPTY "],\"subject\":" DESCRIPTOR(OCI_INDEX, 1, "") "}",
     "application/vnd.example", 2, 0, true},
    {"oras, the referrers tag of a registry without the API", OCI_INDEX,
     BEGIN(OCI_INDEX) "\"manifests\":[" DESCRIPTOR(
         OCI_IMAGE, 1, ",\"annotations\":{\"a\":\"b\"},\"artifactType\":\"type/a\"") "]}",
     "", 1, 0, false},
    {"regctl, an index as a referrer", OCI_INDEX,
     BEGIN(OCI_INDEX) "\"artifactType\":\"type/a\",\"manifests\":[" DESCRIPTOR(
         OCI_IMAGE, 1, "") "],\"subject\":" DESCRIPTOR(OCI_IMAGE, 2, "") "}",
     "type/a", 1, 0, true},
};

static size_t count_elsewhere(const struct manifest *manifest)
{
    size_t count = 0;

    for (size_t i = 0; i < manifest->descriptor_count; i++) {
        count += manifest->descriptors[i].may_be_elsewhere;
    }
    return count;
}

static void check(const struct sent *sent)
{
    struct manifest manifest;
    struct error err = {0};
    struct arena arena;

    arena_init(&arena, ARENA_BYTES);
    if (manifest_parse(str_from(sent->content), str_from(sent->type), &arena, &manifest, &err)) {
        fail_msg("%s: %s", sent->client, err.message);
    }
    assert_int_equal(manifest.descriptor_count, sent->descriptor_count);
    assert_int_equal(count_elsewhere(&manifest), sent->elsewhere_count);
    assert_int_equal(manifest.facts.has_subject, sent->has_subject);
    if (!str_is(manifest.facts.artifact_type, sent->artifact_type)) {
        fail_msg("%s: the artifact type is '%.*s'", sent->client,
                 STR_FORMAT(manifest.facts.artifact_type));
    }
    arena_release(&arena);
}

static void manifests_of_all_clients_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(manifests); i++) {
        check(&manifests[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifests_of_all_clients_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
