#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "metadata/manifests.h"

/* The registry of a large organisation, with about as many tags as artifacts have there. */
enum { THREADS = 64, ARTIFACTS_PER_TEAM = 100, NAME_BYTES = 64, MANIFEST_BYTES = 1024 };

struct filling {
    struct metadata *metadata;
    uint64_t artifacts;
    uint64_t tags; /* of all artifacts together */
    atomic_uint_fast64_t next;
    int64_t begin_ms;
};

static uint64_t parse_number(const char *text);
static void run_threads(struct filling *filling);
static void *run_thread(void *context);
static void push(struct filling *filling, uint64_t number);
static void push_tag(struct filling *filling, const struct manifest_push *wanted);
static void end_with(const char *problem);

/*
 * Puts that many tags, each of a manifest of its own, into a database: artifact number A is
 * team<A/100>/app<A>, its tags are 1.0, 1.1, …. Through the metadata layer, so that the rows are
 * those that pushes make; without blobs.
 */
int main(int count, char **words)
{
    struct filling filling = {.begin_ms = clock_wall_ms(&clock_system)};
    struct error err = {0};

    if (count != 4) {
        end_with("usage: fill DATABASE ARTIFACTS TAGS");
    }
    filling.artifacts = parse_number(words[2]);
    filling.tags = parse_number(words[3]);
    if (metadata_open_sqlite(words[1], &filling.metadata, &err)) {
        end_with(err.message);
    }
    run_threads(&filling);
    metadata_free(filling.metadata);
    (void)printf("BENCH {\"tags\":%" PRIu64 "}\n", filling.tags);
    return 0;
}

static uint64_t parse_number(const char *text)
{
    uint64_t number = 0;

    if (!str_parse_uint64(str_from(text), &number) || number == 0) {
        end_with("not a number above zero");
    }
    return number;
}

/* Many, because a commit that is being flushed lets the next one gather. */
static void run_threads(struct filling *filling)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, run_thread, filling) != 0) {
            end_with("cannot start a thread");
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

static void *run_thread(void *context)
{
    struct filling *filling = context;
    uint64_t number = atomic_fetch_add(&filling->next, 1);

    while (number < filling->tags) {
        push(filling, number);
        number = atomic_fetch_add(&filling->next, 1);
    }
    return NULL;
}

/* The first tags of all artifacts come before the second ones, as they would over years. */
static void push(struct filling *filling, uint64_t number)
{
    const uint64_t artifact = number % filling->artifacts;
    char repository[NAME_BYTES];
    char tag[NAME_BYTES];
    char manifest[MANIFEST_BYTES];
    struct manifest_push wanted = {
        .tag_count = 1,
        .created_by = {str_from("user"), str_from("bench")},
        .created_ms = filling->begin_ms + (int64_t)(number / filling->artifacts),
    };

    (void)snprintf(repository, sizeof(repository), "team%" PRIu64 "/app%" PRIu64,
                   artifact / ARTIFACTS_PER_TEAM, artifact);
    (void)snprintf(tag, sizeof(tag), "1.%" PRIu64, number / filling->artifacts);
    (void)snprintf(manifest, sizeof(manifest),
                   "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+"
                   "json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
                   "\"digest\":\"sha256:%064" PRIx64 "\",\"size\":111},\"layers\":[]}",
                   number);
    wanted.repository = str_from(repository);
    wanted.tags[0] = (struct tag_push){str_from(tag), TAG_VERSION, NULL};
    wanted.manifest.media_type = str_from("application/vnd.oci.image.manifest.v1+json");
    wanted.manifest.content = str_from(manifest);
    wanted.manifest.size_bytes = wanted.manifest.content.length;
    wanted.manifest.digest = hasher_digest_of(DIGEST_SHA256, wanted.manifest.content);
    push_tag(filling, &wanted);
}

static void push_tag(struct filling *filling, const struct manifest_push *wanted)
{
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct tag_found found;
    struct error err = {0};

    if (metadata_push_manifest(filling->metadata, wanted, &outcome, &found, &err)) {
        end_with(err.message);
    }
    if (outcome != PUSH_DONE) {
        end_with("a tag was there already: fill an empty database");
    }
}

static void end_with(const char *problem)
{
    (void)fprintf(stderr, "fill: %s\n", problem);
    exit(1);
}
