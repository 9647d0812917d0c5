#include "registry/source_finder.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "layers/layer_reader.h"
#include "registry/blobs.h"
#include "registry/registry_private.h"

enum { ENTRY_ARENA_BYTES = 64 * 1024 * 1024 }; /* a stored manifest and its descriptors */

struct finder {
    const struct source_search *search;
    int64_t deadline_ms;
    struct scm_source source;
    bool is_found;
};

static const char file_name[] = "scm-source.json";

void scanned_layers_init(struct scanned_layers *layers)
{
    *layers = (struct scanned_layers){0};
    (void)pthread_mutex_init(&layers->slots_lock, NULL);
}

void scanned_layers_release(struct scanned_layers *layers)
{
    (void)pthread_mutex_destroy(&layers->slots_lock);
}

/* A digest is as good as random by itself. */
static struct digest *slot_of(struct scanned_layers *layers, const struct digest *digest)
{
    unsigned number = 0;

    memcpy(&number, digest->bytes, sizeof(number));
    return &layers->slots[number % SCANNED_LAYERS_SLOTS];
}

bool scanned_layers_has(struct scanned_layers *layers, const struct digest *digest)
{
    bool is_there = false;

    (void)pthread_mutex_lock(&layers->slots_lock);
    is_there = digest_equal(slot_of(layers, digest), digest);
    (void)pthread_mutex_unlock(&layers->slots_lock);
    return is_there;
}

void scanned_layers_add(struct scanned_layers *layers, const struct digest *digest)
{
    (void)pthread_mutex_lock(&layers->slots_lock);
    *slot_of(layers, digest) = *digest;
    (void)pthread_mutex_unlock(&layers->slots_lock);
}

bool source_search_begin(struct registry *registry, enum push_patience patience)
{
    const int64_t wait_ms = patience == PUSH_GIVES_WAY_SOON ? SOURCE_PATIENCE_MS : 0;
    const int64_t until_ms = clock_monotonic_ms(&clock_system) + wait_ms;
    const struct timespec until = clock_timespec(until_ms);
    int result = -1;

    do {
        result = patience == PUSH_WAITS
                     ? sem_wait(&registry->source_searches)
                     : sem_clockwait(&registry->source_searches, CLOCK_MONOTONIC, &until);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

void source_search_end(struct registry *registry)
{
    (void)sem_post(&registry->source_searches);
}

static bool may_tell(struct finder *finder, const struct descriptor *layer)
{
    struct registry *registry = finder->search->registry;
    bool is_archive = false;

    for (size_t i = 0; i < layer->media_type.length && !is_archive; i++) {
        is_archive = str_starts_with_ignoring_case(str_from_index(layer->media_type, i), ".tar");
    }
    return is_archive && layer->size_bytes <= SOURCE_LAYER_MAX_BYTES &&
           !scanned_layers_has(&registry->scanned_layers, &layer->digest);
}

static enum error_code read_blob(void *context, char *buffer, size_t capacity, size_t *length_out,
                                 struct error *err)
{
    return blob_reader_read(context, buffer, capacity, length_out, err);
}

static enum error_code source_finder_read_source(struct finder *finder, struct blob_reader *reader,
                                                 int64_t time_max_ms, struct strbuf *json,
                                                 struct error *err)
{
    const struct layer_input input = {reader, read_blob};
    const struct layer_limits limits = {
        .compressed_max_bytes = SOURCE_LAYER_MAX_BYTES,
        .unpacked_max_bytes = SOURCE_UNPACKED_MAX_BYTES,
        .max_entries = SOURCE_MAX_ENTRIES,
        .time_max_ms = time_max_ms,
        .clock = finder->search->registry->config.clock,
    };

    return layer_read_file(&input, &limits, file_name, json, err);
}

/* A layer that did not have its time, because those above took it, may tell the next time. */
static enum error_code find_in_layer(struct finder *finder, const struct digest *digest,
                                     struct error *err)
{
    struct registry *registry = finder->search->registry;
    const int64_t left_ms = finder->deadline_ms - clock_monotonic_ms(registry->config.clock);
    const bool has_its_time = left_ms >= SOURCE_TIME_MAX_MS / 2;
    CLEANUP(strbuf_release) struct strbuf json;
    struct blob_reader reader;
    enum error_code code = OK;

    strbuf_init(&json, SCM_SOURCE_MAX_BYTES);
    if (left_ms <= 0) {
        return OK;
    }
    code = blob_reader_open(&reader, registry, digest, err);
    if (code == ERROR_NOT_FOUND) {
        return OK; /* it may be elsewhere */
    }
    if (code) {
        return code;
    }
    code = source_finder_read_source(finder, &reader, left_ms, &json, err);
    blob_reader_close(&reader);
    if (code == ERROR_INTERNAL || code == ERROR_UNAVAILABLE) {
        return code;
    }
    finder->is_found =
        !code && !scm_source_parse(strbuf_str(&json), finder->search->arena, &finder->source, NULL);
    if (!finder->is_found && (has_its_time || code != ERROR_TOO_LARGE)) {
        scanned_layers_add(&registry->scanned_layers, digest);
    }
    return OK;
}

/* The topmost layer is the last (image-spec "manifest.md"): what it holds hides those below. */
static enum error_code find_in_image(struct finder *finder, const struct manifest *manifest,
                                     struct error *err)
{
    const size_t first = manifest->first_layer;
    const size_t count = manifest->descriptor_count - first;
    enum error_code code = OK;

    for (size_t i = 0; i < count && i < SOURCE_MAX_LAYERS && !code && !finder->is_found; i++) {
        const struct descriptor *layer = &manifest->descriptors[first + count - 1 - i];

        if (may_tell(finder, layer)) {
            code = find_in_layer(finder, &layer->digest, err);
        }
    }
    return code;
}

static enum error_code find_in_entry(struct finder *finder, const struct digest *digest,
                                     struct error *err)
{
    const struct source_search *search = finder->search;
    struct manifest_record record;
    struct manifest manifest = {0};
    struct arena arena;
    enum error_code code = OK;

    arena_init(&arena, ENTRY_ARENA_BYTES);
    code = metadata_find_manifest(search->registry->config.metadata, search->repository, digest,
                                  &arena, &record, err);
    if (!code) {
        code = manifest_parse(record.content, record.media_type, &arena, &manifest, err);
    }
    if (!code && !manifest.is_index) {
        code = find_in_image(finder, &manifest, err);
    }
    arena_release(&arena);
    return code == ERROR_NOT_FOUND ? OK : code; /* entries may be blobs */
}

/* All images of an index are built from the same, so the first that tells will do. */
static enum error_code find_in_index(struct finder *finder, struct error *err)
{
    const struct manifest *index = finder->search->manifest;

    for (size_t i = 0; i < index->descriptor_count && i < SOURCE_MAX_IMAGES; i++) {
        const enum error_code code = find_in_entry(finder, &index->descriptors[i].digest, err);

        if (code || finder->is_found) {
            return code;
        }
    }
    return OK;
}

enum error_code source_find(const struct source_search *search, struct scm_source *source_out,
                            bool *is_found_out, struct error *err)
{
    struct registry *registry = search->registry;
    struct finder finder = {.search = search};
    enum error_code code = OK;

    finder.deadline_ms = clock_monotonic_ms(registry->config.clock) + (int64_t)SOURCE_TIME_MAX_MS;
    code = search->manifest->is_index ? find_in_index(&finder, err)
                                      : find_in_image(&finder, search->manifest, err);
    *is_found_out = !code && finder.is_found;
    if (*is_found_out) {
        *source_out = finder.source;
    }
    return code;
}
