#include "registry/registry_settings.h"

#include "base/attributes.h"

static const char *const signature_words[] = {
    [SIGNATURES_IMMUTABLE] = "immutable",
    [SIGNATURES_GROW] = "grow",
    NULL,
};

static const struct setting rows[] = {
    {
        .key = "limits.manifest_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct registry_settings, manifest_max_bytes),
        .default_text = "4MiB",
        .minimum = 64 * SETTING_KIB,
        .maximum = 64 * SETTING_MIB,
        .help = "Largest manifest; a larger one is answered 413. Other registries take 4MiB.",
    },
    {
        .key = "limits.cache_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct registry_settings, cache_bytes),
        .default_text = "16MiB",
        .minimum = 64 * SETTING_KIB,
        .maximum = SETTING_GIB,
        .help = "Memory for manifests and small blobs that are asked for again: they are answered "
                "from it at once. What can change is never kept there.",
    },
    {
        .key = "limits.upload_lifetime",
        .type = SETTING_DURATION,
        .offset = offsetof(struct registry_settings, upload_lifetime_ms),
        .default_text = "24h",
        .minimum = SETTING_MINUTE,
        .maximum = 365 * SETTING_DAY,
        .help = "An upload that was begun and then rests for longer is discarded. What was pushed "
                "to its end stays for ever.",
    },
    {
        .key = "limits.upload_age",
        .type = SETTING_DURATION,
        .offset = offsetof(struct registry_settings, upload_age_ms),
        .default_text = "3d",
        .minimum = SETTING_MINUTE,
        .maximum = 365 * SETTING_DAY,
        .help = "An upload that was begun longer ago is not gone on with, however busy it is.",
    },
    {
        .key = "limits.identity_uploads",
        .type = SETTING_COUNT,
        .offset = offsetof(struct registry_settings, upload_limits.of_identity.uploads),
        .default_text = "2000",
        .minimum = 1,
        .maximum = 1000000,
        .help = "How many unfinished uploads a user or service may have; more are answered 429. A "
                "push has a handful at a time, and one that was given up leaves them until they "
                "expire.",
    },
    {
        .key = "limits.identity_upload_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct registry_settings, upload_limits.of_identity.bytes),
        .default_text = "1TiB",
        .minimum = SETTING_MIB,
        .maximum = 1024 * SETTING_TIB,
        .help = "How many bytes may be in the unfinished uploads of a user or service; more are "
                "answered 429.",
    },
    {
        .key = "limits.team_uploads",
        .type = SETTING_COUNT,
        .offset = offsetof(struct registry_settings, upload_limits.of_team.uploads),
        .default_text = "4000",
        .minimum = 1,
        .maximum = 1000000,
        .help = "How many unfinished uploads a team's repositories may have, whoever pushes.",
    },
    {
        .key = "limits.team_upload_size",
        .type = SETTING_SIZE,
        .offset = offsetof(struct registry_settings, upload_limits.of_team.bytes),
        .default_text = "2TiB",
        .minimum = SETTING_MIB,
        .maximum = 1024 * SETTING_TIB,
        .help = "How many bytes may be in the unfinished uploads to a team's repositories.",
    },
    {
        .key = "limits.free_space",
        .type = SETTING_SIZE,
        .offset = offsetof(struct registry_settings, free_space_bytes),
        .default_text = "1GiB",
        .minimum = 0,
        .maximum = 1024 * SETTING_TIB,
        .help = "What pushes leave free on the disk of the data folder: with less, they are "
                "answered 507, and all else goes on. 0: they may fill it.",
    },
    {
        .key = "tags.snapshots",
        .type = SETTING_BOOL,
        .offset = offsetof(struct registry_settings, snapshots_move),
        .default_text = "false",
        .help = "Whether tags that end in -SNAPSHOT may be moved to another image. Every move is "
                "recorded.",
    },
    {
        .key = "tags.signatures",
        .type = SETTING_WORD,
        .offset = offsetof(struct registry_settings, signatures),
        .default_text = "immutable",
        .words = signature_words,
        .help = "grow: a signature tag (sha256-….sig, .att, .sbom) may be replaced by one that "
                "holds everything of the one before.",
    },
};

const struct settings_table registry_settings_table = {
    .rows = rows,
    .count = ARRAY_LEN(rows),
};
