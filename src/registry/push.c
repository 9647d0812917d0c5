#include "base/json_value.h"
#include "base/memory.h"
#include "registry/manifest_parser.h"
#include "registry/manifests.h"
#include "registry/platforms.h"
#include "registry/references.h"
#include "registry/registry_private.h"
#include "registry/runnable.h"
#include "registry/source_finder.h"
#include "registry/tag_rule.h"

enum {
    /* How often a tag that moves while we move it is tried again. */
    MOVE_ATTEMPTS = 64,
    /* A stored manifest, whatever the limit was when it was pushed, and its descriptors. */
    OLD_MANIFEST_ARENA_BYTES = 64 * 1024 * 1024,
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
    struct scm_claim claim; /* if has_claim */
    bool has_claim;
    uint64_t parsing_bytes; /* taken from the registry's budget */
};

static bool is_latest(const struct manifest_upload *upload);
static enum error_code prepare(struct push *push, struct error *err);
static bool needs_search(const struct manifest_upload *upload);
static enum error_code find_digest(struct push *push, struct error *err);
static enum error_code check_digest(const struct manifest_upload *upload,
                                    const struct digest *named, struct error *err);
static enum error_code read(struct push *push, struct error *err);
static bool begin_parsing(struct push *push);
static void end_parsing(struct push *push);
static enum error_code understand(struct push *push, struct error *err);
static enum error_code find_claim(struct push *push, struct error *err);
static enum error_code push_latest(struct push *push, struct error *err);
static enum error_code store(struct push *push, struct error *err);
static enum error_code describe(const struct push *push, struct manifest_push *wanted_out,
                                struct error *err);
static enum error_code may_replace(struct push *push, enum tag_kind kind,
                                   const struct digest *existing, struct error *err);
static enum error_code may_grow(struct push *push, const struct digest *existing,
                                struct error *err);
static enum error_code compare(struct push *push, const struct digest *existing, bool *grows_out,
                               struct error *err);
static enum error_code refuse_move(struct push *push, const struct digest *existing,
                                   struct error *err);

enum error_code registry_push_manifest(struct registry *registry,
                                       const struct manifest_upload *upload, struct arena *arena,
                                       struct manifest_receipt *receipt_out, struct error *err)
{
    struct push push = {
        .registry = registry, .upload = upload, .arena = arena, .receipt = receipt_out};
    enum error_code code = OK;

    *receipt_out = (struct manifest_receipt){0};
    code = free_space_check(registry->config.free_space, err);
    if (!code) {
        code = prepare(&push, err);
    }
    if (code) {
        return code;
    }
    code = is_latest(upload) ? push_latest(&push, err) : store(&push, err);
    if (!code) {
        receipt_out->digest = push.digest;
        receipt_out->has_subject = push.manifest.facts.has_subject;
        receipt_out->subject = push.manifest.facts.subject;
    }
    return code;
}

static bool is_latest(const struct manifest_upload *upload)
{
    return !upload->reference.is_digest && tag_rule_is_latest(upload->reference.tag);
}

/* All that comes before the transaction. Whoever has to look into layers, or to hold much in
 * memory, awaits a turn before anything else, so that who has to come again has done nothing twice.
 */
static enum error_code prepare(struct push *push, struct error *err)
{
    const struct manifest_upload *upload = push->upload;
    const bool searches = needs_search(upload);
    enum error_code code = OK;

    if (searches && !source_search_begin(push->registry, upload->patience)) {
        push->receipt->has_given_way = true;
        return error_set(err, ERROR_UNAVAILABLE, "others' layers are looked into");
    }
    code = find_digest(push, err);
    if (!code) {
        code = understand(push, err);
    }
    if (!code && !is_latest(upload)) {
        code = find_claim(push, err);
    }
    if (searches) {
        source_search_end(push->registry);
    }
    return code;
}

static bool needs_search(const struct manifest_upload *upload)
{
    return !upload->reference.is_digest && !upload->scm_source && !is_latest(upload) &&
           tag_rule_kind(upload->reference.tag) != TAG_SIGNATURE;
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

/* What the manifest says, and its config. */
static enum error_code understand(struct push *push, struct error *err)
{
    enum error_code code = OK;

    if (!begin_parsing(push)) {
        push->receipt->has_given_way = true;
        return error_set(err, ERROR_UNAVAILABLE, "others' manifests are parsed");
    }
    code = read(push, err);
    if (!code && !is_latest(push->upload)) {
        code = platforms_find(push->registry, &push->manifest, push->upload->content, push->arena,
                              &push->manifest.facts.platforms, err);
    }
    end_parsing(push);
    return code;
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

static void end_parsing(struct push *push)
{
    if (push->parsing_bytes > 0) {
        memory_return();
        memory_budget_give(push->registry->parsing, push->parsing_bytes);
    }
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

/* What the pusher says is newer than what the image says. */
static enum error_code find_claim(struct push *push, struct error *err)
{
    const struct manifest_upload *upload = push->upload;
    const struct source_search search = {push->registry, upload->repository.name, &push->manifest,
                                         push->arena};

    if (upload->scm_source && !upload->reference.is_digest &&
        tag_rule_kind(upload->reference.tag) != TAG_SIGNATURE) {
        push->claim = (struct scm_claim){*upload->scm_source, SCM_OF_PUSHER};
        push->has_claim = true;
        return OK;
    }
    if (!needs_search(upload)) {
        return OK;
    }
    push->claim.origin = SCM_OF_LAYER;
    return source_find(&search, &push->claim.source, &push->has_claim, err);
}

/* `latest` is never stored. That it means this manifest already is success: nothing would change.
 */
static enum error_code push_latest(struct push *push, struct error *err)
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
    push->receipt->has_existing = !code;
    push->receipt->existing = newest.digest;
    push->receipt->refused = push->digest;
    return error_set_about(err, ABOUT_TAG, ERROR_CONFLICT,
                           "the tag latest cannot be pushed: it always is the newest tag of %.*s. "
                           "Push a version tag, like %.*s:1.0",
                           STR_FORMAT(repository), STR_FORMAT(repository));
}

static enum error_code store(struct push *push, struct error *err)
{
    struct manifest_push wanted = {0};
    struct digest existing = {0};
    enum push_outcome outcome = PUSH_DONE;
    enum error_code code = describe(push, &wanted, err);

    if (code) {
        return code;
    }
    for (int i = 0; i < MOVE_ATTEMPTS; i++) {
        code = metadata_push_manifest(push->registry->config.metadata, &wanted, &outcome, &existing,
                                      err);
        if (code || outcome == PUSH_DONE) {
            return code;
        }
        code = may_replace(push, wanted.tag_kind, &existing, err);
        if (code) {
            return code;
        }
        wanted.replaces = &existing;
    }
    return error_set_about(err, ABOUT_TAG, ERROR_UNAVAILABLE,
                           "the tag is being moved by others all the time; try again");
}

static enum error_code describe(const struct push *push, struct manifest_push *wanted_out,
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
        .tag = upload->reference.is_digest ? (struct str){0} : upload->reference.tag,
        .tag_kind = tag_rule_kind(upload->reference.tag),
        .blobs = blobs,
        .blob_count = count,
        .scm_claim = push->has_claim ? &push->claim : NULL,
        .created_by = upload->identity,
        .created_ms = clock_wall_ms(push->registry->config.clock),
    };
    return OK;
}

static enum error_code may_replace(struct push *push, enum tag_kind kind,
                                   const struct digest *existing, struct error *err)
{
    const struct registry_config *config = &push->registry->config;

    if (!tag_rule_may_move(kind, config->settings.snapshots_move,
                           config->settings.signatures == SIGNATURES_GROW)) {
        return refuse_move(push, existing, err);
    }
    return kind == TAG_SIGNATURE ? may_grow(push, existing, err) : OK;
}

static enum error_code may_grow(struct push *push, const struct digest *existing, struct error *err)
{
    const struct registry_config *config = &push->registry->config;
    struct digest subject;
    bool is_allowed = tag_rule_subject(push->upload->reference.tag, &subject);
    enum error_code code = OK;

    if (is_allowed) {
        code = metadata_has_manifest(config->metadata, push->upload->repository.name, &subject,
                                     &is_allowed, err);
    }
    if (!code && is_allowed) {
        code = compare(push, existing, &is_allowed, err);
    }
    return code || is_allowed ? code : refuse_move(push, existing, err);
}

/* The old manifest has an arena of its own: it is needed no longer than this, at each attempt. */
static enum error_code compare(struct push *push, const struct digest *existing, bool *grows_out,
                               struct error *err)
{
    struct metadata *metadata = push->registry->config.metadata;
    struct arena arena;
    struct manifest_record record;
    struct manifest old_manifest;
    enum error_code code = OK;

    arena_init(&arena, OLD_MANIFEST_ARENA_BYTES);
    code = metadata_find_manifest(metadata, push->upload->repository.name, existing, &arena,
                                  &record, err);
    if (!code) {
        code = manifest_parse(record.content, record.media_type, &arena, &old_manifest, err);
    }
    if (!code) {
        *grows_out = tag_rule_grows(&old_manifest, &push->manifest);
    }
    arena_release(&arena);
    return code;
}

static enum error_code refuse_move(struct push *push, const struct digest *existing,
                                   struct error *err)
{
    char old_digest[DIGEST_TEXT_BYTES];
    char new_digest[DIGEST_TEXT_BYTES];

    digest_format(existing, old_digest);
    digest_format(&push->digest, new_digest);
    push->receipt->has_existing = true;
    push->receipt->existing = *existing;
    push->receipt->refused = push->digest;
    return error_set_about(
        err, ABOUT_TAG, ERROR_CONFLICT,
        "the tag %.*s:%.*s is immutable: it is at %s and does not move to %s. "
        "%s",
        STR_FORMAT(push->upload->repository.name), STR_FORMAT(push->upload->reference.tag),
        old_digest, new_digest,
        tag_rule_advice(tag_rule_kind(push->upload->reference.tag),
                        push->registry->config.settings.signatures == SIGNATURES_GROW));
}
