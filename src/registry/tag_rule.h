#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/json_value.h"
#include "base/str.h"
#include "metadata/manifests.h"
#include "metadata/tags.h"
#include "registry/manifest_parser.h"
#include "registry/registry.h"

/* What a tag's name says of it. Pure, as all of this file. */
enum tag_kind tag_rule_kind(struct str tag);

/* Never stored: it is the newest tag of what can be run. */
bool tag_rule_is_latest(struct str tag);

/* Whether a tag of that kind may ever move under these settings. */
bool tag_rule_may_move(enum tag_kind kind, bool snapshots_move, bool signatures_grow);

/*
 * The digest of the manifest that a signature tag belongs to: sha256-<hex>[.sig|.att|.sbom]
 * (cosign; distribution-spec "Referrers Tag Schema"). False for another tag.
 */
MUST_USE bool tag_rule_subject(struct str tag, struct digest *subject_out);

/* Beyond so many layers or entries, a signature tag grows no more (cosign reads no more, either).
 */
enum { TAG_RULE_MAX_GROWTH = 1000 };

/*
 * Whether a signature tag may be replaced: the new manifest has every layer or entry of the old
 * one with its annotations (where cosign keeps signatures), says all else as the old one does, and
 * holds nothing but signatures and attestations, or is an index of referrers. If the configs have
 * other digests, tag_rule_config_grows decides.
 */
bool tag_rule_grows(const struct manifest *old_manifest, const struct manifest *new_manifest);

/*
 * Whether the new config is what cosign makes of the old one when it adds signatures: another
 * `created`, more `history` and more `rootfs.diff_ids` behind those that were there, and no other
 * change.
 */
bool tag_rule_config_grows(const struct json_value *old_config,
                           const struct json_value *new_config);

/* A pushed manifest whose tags are at others. */
struct tag_mover {
    struct registry *registry;
    struct str repository;
    const struct manifest *manifest;
    struct digest digest;
};

/*
 * Whether one of its tags may leave `existing` under the registry's settings: a snapshot that
 * moves, a signature tag that grows. ERROR_CONFLICT about TAG with both digests and what to do
 * instead, if not.
 */
MUST_USE enum error_code tag_mover_check(const struct tag_mover *mover, const struct tag_push *tag,
                                         const struct digest *existing, struct error *err);
