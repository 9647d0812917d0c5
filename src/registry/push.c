#include <assert.h>

#include "base/json_value.h"
#include "base/memory.h"
#include "registry/manifest_parser.h"
#include "registry/manifests.h"
#include "registry/references.h"
#include "registry/registry_private.h"
#include "registry/source_finder.h"
#include "registry/tag_rule.h"

enum {
    /* How often a tag that moves while we move it is tried again. */
    MOVE_ATTEMPTS = 64,
    /* What a parsed manifest may take without being counted: each thread has one at most. */
    SMALL_PARSING_BYTES = 1024 * 1024,
    /* How long the next one waits: parsing takes some tens of milliseconds. */
    PARSING_WAIT_MS = 60 * 1000,
};

/* A push on its way. */
struct push {
    struct registry *registry;
    const struct manifest_upload *upload;
    struct arena *arena;
    struct manifest manifest;
    struct digest digest;
    struct manifest_receipt *receipt;
    struct tag_push tags[PUSH_TAGS_MAX]; /* all but `latest` */
    size_t tag_count;
    bool has_latest;
    bool has_image_tag;     /* one that is no signature's */
    struct scm_claim claim; /* if has_claim */
    bool has_claim;
    uint64_t parsing_bytes; /* taken from the registry's budget */
};

static void name_tag(struct push *push, struct str name)
{
    const enum tag_kind kind = tag_rule_kind(name);

    if (tag_rule_is_latest(name)) {
        push->has_latest = true;
        return;
    }
    push->has_image_tag = push->has_image_tag || kind != TAG_SIGNATURE;
    push->tags[push->tag_count++] = (struct tag_push){.name = name, .kind = kind};
}

static void name_tags(struct push *push)
{
    const struct manifest_upload *upload = push->upload;

    assert(upload->tag_count <= PUSH_TAGS_MAX);
    if (!upload->reference.is_digest) {
        name_tag(push, upload->reference.tag);
        return;
    }
    for (size_t i = 0; i < upload->tag_count; i++) {
        name_tag(push, upload->tags[i]);
    }
}

static bool needs_search(const struct push *push)
{
    return push->has_image_tag && !push->upload->scm_source;
}

static enum error_code check_digest(const struct manifest_upload *upload,
                                    const struct digest *named, struct error *err)
{
    const struct digest digest = hasher_digest_of(named->algorithm, upload->content);
    char wanted[DIGEST_TEXT_BYTES];
    char actual[DIGEST_TEXT_BYTES];

    if (digest_equal(&digest, named)) {
        return OK;
    }
    digest_format(named, wanted);
    digest_format(&digest, actual);
    return error_set_about(err, ABOUT_DIGEST, ERROR_INVALID,
                           "the manifest was sent as %s, but its digest is %s", wanted, actual);
}

static enum error_code find_digest(struct push *push, struct error *err)
{
    const struct manifest_upload *upload = push->upload;
    const struct digest *named =
        upload->reference.is_digest ? &upload->reference.digest : upload->stated;
    enum error_code code = OK;

    if (upload->content.length > push->registry->config.settings.manifest_max_bytes) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE,
                               "a manifest has at most %zu bytes",
                               push->registry->config.settings.manifest_max_bytes);
    }
    push->digest = hasher_digest_of(named ? named->algorithm : DIGEST_SHA256, upload->content);
    if (named) {
        code = check_digest(upload, named, err);
    }
    return code || !upload->stated ? code : check_digest(upload, upload->stated, err);
}

static bool begin_parsing(struct push *push)
{
    const uint64_t bytes = json_value_memory_bytes(push->upload->content);
    const int64_t wait_ms = push->upload->patience == PUSH_WAITS ? PARSING_WAIT_MS : 0;

    if (bytes <= SMALL_PARSING_BYTES) {
        return true;
    }
    push->parsing_bytes = bytes < PARSING_MAX_BYTES ? bytes : PARSING_MAX_BYTES;
    if (!memory_budget_take(push->registry->parsing, push->parsing_bytes, wait_ms)) {
        push->parsing_bytes = 0;
        return false;
    }
    return true;
}

static enum error_code read(struct push *push, struct error *err)
{
    const struct manifest_upload *upload = push->upload;
    struct missing_references missing = {0};
    enum error_code code =
        manifest_parse(upload->content, upload->media_type, push->arena, &push->manifest, err);

    if (!code) {
        code = references_check(push->registry, &upload->repository, &push->manifest, push->arena,
                                &missing, err);
        push->receipt->missing = missing.digests;
        push->receipt->missing_count = missing.count;
    }
    if (!code) {
        code = runnable_find(push->registry, &upload->repository, &push->manifest,
                             &push->manifest.facts.is_runnable, err);
    }
    return code;
}

/* Where `latest` is all that it is pushed as, it is there already, or refused. */
static bool is_stored(const struct push *push)
{
    return !push->has_latest || push->tag_count > 0;
}

static void end_parsing(struct push *push)
{
    if (push->parsing_bytes > 0) {
        memory_return();
        memory_budget_give(push->registry->parsing, push->parsing_bytes);
    }
}

/* What the manifest says, and its config. */
static enum error_code understand(struct push *push, struct error *err)
{
    enum error_code code = OK;

    if (!begin_parsing(push)) {
        push->receipt->has_given_way = true;
        return error_set(err, ERROR_UNAVAILABLE, "others' manifests are parsed");
    }
    code = read(push, err);
    if (!code && is_stored(push)) {
        code = platforms_find(push->registry, &push->manifest, push->upload->content, push->arena,
                              &push->manifest.facts.platforms, err);
    }
    end_parsing(push);
    return code;
}

/* What the pusher says is newer than what the image says. */
static enum error_code find_claim(struct push *push, struct error *err)
{
    const struct manifest_upload *upload = push->upload;
    const struct source_search search = {push->registry, upload->repository.name, &push->manifest,
                                         push->arena};

    if (!push->has_image_tag) {
        return OK;
    }
    if (upload->scm_source) {
        push->claim = (struct scm_claim){*upload->scm_source, SCM_OF_PUSHER};
        push->has_claim = true;
        return OK;
    }
    push->claim.origin = SCM_OF_LAYER;
    return source_find(&search, &push->claim.source, &push->has_claim, err);
}

/* All that comes before the transaction. Whoever has to look into layers, or to hold much in
 * memory, awaits a turn before anything else, so that who has to come again has done nothing twice.
 */
static enum error_code push_prepare(struct push *push, struct error *err)
{
    const struct manifest_upload *upload = push->upload;
    const bool searches = needs_search(push);
    enum error_code code = OK;

    if (searches && !source_search_begin(push->registry, upload->patience)) {
        push->receipt->has_given_way = true;
        return error_set(err, ERROR_UNAVAILABLE, "others' layers are looked into");
    }
    code = find_digest(push, err);
    if (!code) {
        code = understand(push, err);
    }
    if (!code) {
        code = find_claim(push, err);
    }
    if (searches) {
        source_search_end(push->registry);
    }
    return code;
}

static void tell_refused(struct push *push, struct str tag, const struct digest *existing)
{
    push->receipt->refused_tag = tag;
    push->receipt->refused = push->digest;
    push->receipt->has_existing = existing;
    if (existing) {
        push->receipt->existing = *existing;
    }
}

/* `latest` is never stored. That it means this manifest already is success: nothing would change.
 */
static enum error_code check_latest(struct push *push, struct error *err)
{
    const struct str repository = push->upload->repository.name;
    struct tag_record newest = {0};
    const enum error_code code = metadata_find_newest_tag(push->registry->config.metadata,
                                                          repository, push->arena, &newest, err);

    if (code && code != ERROR_NOT_FOUND) {
        return code;
    }
    if (!code && digest_equal(&newest.digest, &push->digest)) {
        return OK;
    }
    tell_refused(push, str_from("latest"), code ? NULL : &newest.digest);
    return error_set_about(err, ABOUT_TAG, ERROR_CONFLICT,
                           "the tag latest cannot be pushed: it always is the newest tag of %.*s. "
                           "Push a version tag, like %.*s:1.0",
                           STR_FORMAT(repository), STR_FORMAT(repository));
}

static enum error_code push_describe(const struct push *push, struct manifest_push *wanted_out,
                                     struct error *err)
{
    const struct manifest_upload *upload = push->upload;
    const struct manifest *manifest = &push->manifest;
    struct named_blob *blobs =
        arena_new(push->arena, manifest->descriptor_count + 1, sizeof(*blobs));
    size_t count = 0;

    if (!blobs) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE, "the manifest is too large");
    }
    for (size_t i = 0; i < manifest->descriptor_count; i++) {
        const struct descriptor *descriptor = &manifest->descriptors[i];
        const bool is_here = !descriptor->may_be_elsewhere;

        blobs[count++] =
            (struct named_blob){descriptor->digest, is_here ? descriptor->size_bytes : 0, is_here};
    }
    *wanted_out = (struct manifest_push){
        .repository = upload->repository.name,
        .manifest = {.digest = push->digest,
                     .media_type = str_from(manifest->media_type),
                     .content = upload->content,
                     .size_bytes = upload->content.length},
        .facts = push->manifest.facts,
        .tag_count = push->tag_count,
        .blobs = blobs,
        .blob_count = count,
        .scm_claim = push->has_claim ? &push->claim : NULL,
        .created_by = upload->identity,
        .created_ms = clock_wall_ms(push->registry->config.clock),
    };
    for (size_t i = 0; i < push->tag_count; i++) {
        wanted_out->tags[i] = push->tags[i];
    }
    return OK;
}

/* Every tag that is in the way moves from where it is, or none does. */
static enum error_code let_move(struct push *push, struct manifest_push *wanted,
                                const struct tag_found *found, struct error *err)
{
    const struct tag_mover mover = {push->registry, wanted->repository, &push->manifest,
                                    push->digest};
    enum error_code code = OK;

    for (size_t i = 0; i < wanted->tag_count && !code; i++) {
        struct tag_push *tag = &wanted->tags[i];

        if (found[i].is_taken) {
            code = tag_mover_check(&mover, tag, &found[i].digest, err);
            tag->replaces = &found[i].digest;
        }
        if (code == ERROR_CONFLICT) {
            tell_refused(push, tag->name, &found[i].digest);
        }
    }
    return code;
}

static enum error_code push_store(struct push *push, struct error *err)
{
    struct manifest_push wanted = {0};
    struct tag_found found[PUSH_TAGS_MAX];
    enum push_outcome outcome = PUSH_DONE;
    enum error_code code = push_describe(push, &wanted, err);

    if (code) {
        return code;
    }
    for (int i = 0; i < MOVE_ATTEMPTS; i++) {
        code =
            metadata_push_manifest(push->registry->config.metadata, &wanted, &outcome, found, err);
        if (code || outcome == PUSH_DONE) {
            return code;
        }
        code = let_move(push, &wanted, found, err);
        if (code) {
            return code;
        }
    }
    return error_set_about(err, ABOUT_TAG, ERROR_UNAVAILABLE,
                           "the tag is being moved by others all the time; try again");
}

enum error_code registry_push_manifest(struct registry *registry,
                                       const struct manifest_upload *upload, struct arena *arena,
                                       struct manifest_receipt *receipt_out, struct error *err)
{
    struct push push = {
        .registry = registry, .upload = upload, .arena = arena, .receipt = receipt_out};
    enum error_code code = OK;

    *receipt_out = (struct manifest_receipt){0};
    name_tags(&push);
    code = free_space_check(registry->config.free_space, err);
    if (!code) {
        code = push_prepare(&push, err);
    }
    if (!code && push.has_latest) {
        code = check_latest(&push, err);
    }
    if (!code && is_stored(&push)) {
        code = push_store(&push, err);
    }
    if (!code) {
        receipt_out->digest = push.digest;
        receipt_out->has_subject = push.manifest.facts.has_subject;
        receipt_out->subject = push.manifest.facts.subject;
    }
    return code;
}
