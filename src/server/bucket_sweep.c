#include "server/bucket_sweep.h"

#include <string.h>

#include "metadata/swept_blobs.h"

enum { PAGE_ARENA_BYTES = 1024 * 1024 };

/* A page of a long list, and what it takes to find the next. */
struct walk {
    struct bucket_sweep *sweep;
    struct arena arena;
    struct blob_place_list page;
    bool has_last;
    struct digest last_digest;
    char last_location[BLOB_KEY_BYTES];
};

typedef enum error_code page_step(struct walk *walk, struct error *err);

static enum error_code keep_last(struct walk *walk, struct error *err)
{
    const struct blob_place_record *last = &walk->page.places[walk->page.count - 1];

    if (last->location.length >= sizeof(walk->last_location)) {
        return error_set(err, ERROR_INTERNAL, "the location of a blob is too long");
    }
    walk->has_last = true;
    walk->last_digest = last->digest;
    memcpy(walk->last_location, last->location.bytes, last->location.length + 1);
    return OK;
}

static enum error_code walk_pages(struct bucket_sweep *sweep, page_step *list, page_step *work,
                                  struct error *err)
{
    struct walk walk = {.sweep = sweep};
    bool has_page = false;
    enum error_code code = OK;

    arena_init(&walk.arena, PAGE_ARENA_BYTES);
    do {
        arena_release(&walk.arena);
        code = list(&walk, err);
        has_page = !code && walk.page.count > 0;
        if (has_page) {
            code = keep_last(&walk, err);
        }
        if (has_page && !code) {
            code = work(&walk, err);
        }
    } while (has_page && !code);
    arena_release(&walk.arena);
    return code;
}

static enum error_code list_swept(struct walk *walk, struct error *err)
{
    return metadata_list_swept_places(walk->sweep->metadata, str_from(walk->last_location),
                                      &walk->arena, &walk->page, err);
}

static void bucket_tell(struct bucket_sweep *sweep, const struct blob_place_record *place,
                        const struct error *refusal)
{
    const struct old_blob blob = {place->digest, place->size_bytes, place->touched_ms};

    sweep->tell(sweep->context, &blob, refusal);
}

static enum error_code remove_one(struct bucket_sweep *sweep, const struct blob_place_record *place,
                                  struct error *err)
{
    struct error refusal = {0};
    bool is_kept = false;
    bool is_first = false;
    enum error_code code =
        s3_objects_delete(sweep->objects, place->location.bytes, &is_kept, &refusal);

    if (code == ERROR_DENIED) {
        sweep->refused++;
        bucket_tell(sweep, place, &refusal);
        return OK;
    }
    if (code) {
        return error_set(err, code, "%s", refusal.message);
    }
    code =
        metadata_end_swept_place(sweep->metadata, place->location, sweep->now_ms, &is_first, err);
    if (!code && is_first) { /* and not of another sweep */
        sweep->kept += is_kept;
        bucket_tell(sweep, place, NULL);
    }
    return code;
}

static enum error_code remove_all(struct walk *walk, struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < walk->page.count && !code; i++) {
        code = remove_one(walk->sweep, &walk->page.places[i], err);
    }
    return code;
}

static enum error_code tell_all(struct walk *walk, struct error *err)
{
    (void)err;
    for (size_t i = 0; i < walk->page.count; i++) {
        bucket_tell(walk->sweep, &walk->page.places[i], NULL);
    }
    return OK;
}

static enum error_code list_unnamed(struct walk *walk, struct error *err)
{
    const struct unnamed_place_query query = {
        .after = walk->has_last ? &walk->last_digest : NULL,
        .untouched_since_ms = walk->sweep->untouched_since_ms,
        .arena = &walk->arena,
    };

    return metadata_list_unnamed_places(walk->sweep->metadata, &query, &walk->page, err);
}

/* Where nothing at all may be removed, marks would only make clients push again. */
static enum error_code bucket_mark_and_remove(struct walk *walk, struct error *err)
{
    struct bucket_sweep *sweep = walk->sweep;
    const struct place_sweep marks = {&walk->page, sweep->untouched_since_ms, sweep->now_ms};
    const uint64_t refused_before = sweep->refused;
    enum error_code code = metadata_sweep_places(sweep->metadata, &marks, err);

    if (!code) {
        code = remove_all(walk, err);
    }
    if (!code && sweep->refused - refused_before == BLOB_PLACE_LIST_MAX) {
        code = error_set(err, ERROR_DENIED, "%s refuses to remove anything",
                         s3_client_name(sweep->objects->client));
    }
    return code;
}

/* First what an earlier sweep marked, and did not come to remove. */
enum error_code bucket_sweep_run(struct bucket_sweep *sweep, struct error *err)
{
    const bool removes = sweep->objects != NULL;
    const enum error_code code =
        walk_pages(sweep, list_swept, removes ? remove_all : tell_all, err);

    return code ? code
                : walk_pages(sweep, list_unnamed, removes ? bucket_mark_and_remove : tell_all, err);
}
