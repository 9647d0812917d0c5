#include "blobs/s3_settings.h"

#include <inttypes.h>
#include <string.h>

#include "base/ascii.h"
#include "base/attributes.h"
#include "blobs/s3_parts.h"
#include "blobs/s3_store.h"

static const char *const lock_words[] = {
    [S3_LOCK_NONE] = "none",
    [S3_LOCK_BUCKET] = "bucket",
    [S3_LOCK_GOVERNANCE] = "governance",
    [S3_LOCK_COMPLIANCE] = "compliance",
    NULL,
};

static const struct setting rows[] = {
    {
        .key = "storage.s3.bucket",
        .type = SETTING_TEXT,
        .offset = offsetof(struct s3_settings, bucket),
        .example = "company-layers",
        .help =
            "Bucket for all layers. Not set: they are files in the data folder. The original name "
            "STORAGE_S3_BUCKET is accepted too.",
        .aliases = {{.name = "STORAGE_S3_BUCKET"}},
    },
    {
        .key = "storage.s3.region",
        .type = SETTING_TEXT,
        .offset = offsetof(struct s3_settings, region),
        .default_text = "us-east-1",
        .help = "The bucket's region, which signatures name. Not set: that of AWS_REGION or "
                "AWS_DEFAULT_REGION, if there is one.",
        .aliases = {{.name = "AWS_DEFAULT_REGION", .is_of_machine = true},
                    {.name = "AWS_REGION", .is_of_machine = true}},
    },
    {
        .key = "storage.s3.endpoint",
        .type = SETTING_URL,
        .offset = offsetof(struct s3_settings, endpoint),
        .example = "https://s3.example.org",
        .help = "An S3 that is not AWS: http[s]://HOST[:PORT]. Not set: AWS, over TLS.",
    },
    {
        .key = "storage.s3.public_endpoint",
        .type = SETTING_URL,
        .offset = offsetof(struct s3_settings, public_endpoint),
        .example = "https://layers.example.org",
        .help = "How clients reach the same S3, if that differs: the links that pulls are sent to "
                "begin with it.",
    },
    {
        .key = "storage.s3.path_style",
        .type = SETTING_BOOL,
        .offset = offsetof(struct s3_settings, path_style),
        .default_text = "false",
        .help = "Whether the bucket is the first part of the path (most S3 that are not AWS) "
                "instead of the first part of the host name.",
    },
    {
        .key = "storage.s3.prefix",
        .type = SETTING_TEXT,
        .offset = offsetof(struct s3_settings, prefix),
        .example = "registry/",
        .help = "Begins the keys of all objects, so that a bucket can hold more than one registry.",
    },
    {
        .key = "storage.s3.redirect",
        .type = SETTING_BOOL,
        .offset = offsetof(struct s3_settings, redirect),
        .default_text = "true",
        .help = "Whether clients are sent to S3 to fetch layers themselves (307, a signed link). "
                "false: layers come through this server.",
    },
    {
        .key = "storage.s3.link_lifetime",
        .type = SETTING_DURATION,
        .offset = offsetof(struct s3_settings, link_lifetime_ms),
        .default_text = "5m",
        .minimum = SETTING_SECOND,
        .maximum = 7 * SETTING_DAY,
        .help = "How long such a link can be used to begin a download.",
    },
    {
        .key = "storage.s3.encryption",
        .type = SETTING_TEXT,
        .offset = offsetof(struct s3_settings, style.encryption),
        .example = "aws:kms",
        .help = "Server-side encryption: AES256, aws:kms or aws:kms:dsse. Not set: what the bucket "
                "does by default.",
    },
    {
        .key = "storage.s3.kms_key",
        .type = SETTING_TEXT,
        .offset = offsetof(struct s3_settings, style.kms_key),
        .example = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd",
        .help = "The key for aws:kms. Not set: the account's own.",
    },
    {
        .key = "storage.s3.storage_class",
        .type = SETTING_TEXT,
        .offset = offsetof(struct s3_settings, style.storage_class),
        .example = "INTELLIGENT_TIERING",
        .help = "Storage class of new objects, one that can be read at once. Not set: the bucket's "
                "standard.",
    },
    {
        .key = "storage.s3.object_lock.mode",
        .type = SETTING_WORD,
        .offset = offsetof(struct s3_settings, style.lock_mode),
        .default_text = "none",
        .words = lock_words,
        .help = "Locks layers against deletion, also by the operator: governance or compliance, "
                "for object_lock.days. bucket: as the default retention of the bucket says. The "
                "bucket must have Object Lock.",
    },
    {
        .key = "storage.s3.object_lock.days",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct s3_settings, style.lock_days),
        .default_text = "3650",
        .minimum = 1,
        .maximum = 36500,
        .help = "How long a layer stays locked from its push on.",
    },
    {
        .key = S3_LARGEST_BLOB_KEY,
        .type = SETTING_SIZE,
        .offset = offsetof(struct s3_settings, largest_blob_bytes),
        .default_text = "100000000000",
        .minimum = SETTING_GIB,
        .maximum = 5 * SETTING_TIB,
        .help = "Largest layer. S3 takes 10000 parts, and a part is in memory while it is sent: "
                "parts have 5 MiB at the beginning of a layer and up to 15 MiB at the end of the "
                "largest of 100 GB, and 1 GiB with 5 TiB.",
    },
    {
        .key = "storage.s3.upload_memory",
        .type = SETTING_SIZE,
        .offset = offsetof(struct s3_settings, upload_memory_bytes),
        .default_text = "256MiB",
        .minimum = 16 * SETTING_MIB,
        .maximum = 1024 * SETTING_GIB,
        .help = "Memory for the parts of all uploads together. Beyond it clients wait. At least "
                "twice the largest part (storage.s3.largest_blob).",
    },
    {
        .key = "storage.s3.upload_parts",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct s3_settings, upload_parts),
        .default_text = "4",
        .minimum = 1,
        .maximum = 64,
        .help = "Parts of one upload that are sent at once.",
    },
    {
        .key = "storage.s3.connections",
        .type = SETTING_NUMBER,
        .offset = offsetof(struct s3_settings, connections),
        .default_text = "16",
        .minimum = 1,
        .maximum = 1024,
        .help = "Parts of all uploads that are sent at once; each has a thread and a connection.",
    },
    {
        .key = "storage.s3.downloads",
        .type = SETTING_COUNT,
        .offset = offsetof(struct s3_settings, downloads),
        .default_text = "256",
        .minimum = 1,
        .maximum = 100000,
        .help = "Layers that come through this server at once, where storage.s3.redirect is false; "
                "each holds up to 1 MiB of memory. More are answered 503.",
    },
    {
        .key = "storage.s3.timeout",
        .type = SETTING_DURATION,
        .offset = offsetof(struct s3_settings, timeout_ms),
        .default_text = "60s",
        .minimum = SETTING_SECOND,
        .maximum = SETTING_HOUR,
        .help = "How long one request to S3 may take; a part has to be through by then.",
    },
    {
        .key = "storage.s3.retry_time",
        .type = SETTING_DURATION,
        .offset = offsetof(struct s3_settings, retry_time_ms),
        .default_text = "30s",
        .minimum = 1,
        .maximum = SETTING_HOUR,
        .help = "How long a request that fails in passing (SlowDown, 500, 503, resets, time-outs) "
                "is repeated, with random pauses. Then the client gets 503.",
    },
};

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
static bool is_bucket_name(struct str name)
{
    bool is_right = name.length >= 3 && name.length <= 63;

    for (size_t i = 0; i < name.length; i++) {
        const char byte = name.bytes[i];

        is_right = is_right &&
                   (ascii_is_lower(byte) || ascii_is_digit(byte) || byte == '.' || byte == '-');
    }
    return is_right;
}

/* Letters, digits and these. */
static bool s3_settings_is_plain(struct str text, const char *others)
{
    bool is_right = true;

    for (size_t i = 0; i < text.length; i++) {
        const char byte = text.bytes[i];

        is_right = is_right && (ascii_is_letter_or_digit(byte) || strchr(others, byte) != NULL);
    }
    return is_right;
}

/* A wildcard of a certificate stands for one label (RFC 9110 4.3.4 refers to RFC 6125 6.4.3). */
static bool needs_path_style(const struct s3_settings *settings)
{
    const char *endpoint = settings->endpoint;
    const bool is_tls = !endpoint || str_starts_with(str_from(endpoint), "https:");

    return is_tls && !settings->path_style && strchr(settings->bucket, '.') != NULL;
}

/*
 * Keys go into URLs, lines and messages as they are; and `//` or `..` would be another key to
 * whoever tidies paths on the way to S3.
 */
static bool is_key_text(struct str text)
{
    while (text.length > 0) {
        const struct str part = str_slice(text, 0, str_index_of(text, '/'));

        if (part.length == 0 || str_is(part, ".") || str_is(part, "..") ||
            !s3_settings_is_plain(part, "-_.")) {
            return false;
        }
        text = str_from_index(text, part.length < text.length ? part.length + 1 : part.length);
    }
    return true;
}

static void check_names(const struct s3_settings *settings, struct problems *problems)
{
    const struct str prefix = str_from(settings->prefix);

    if (!is_bucket_name(str_from(settings->bucket))) {
        problems_add(problems,
                     "storage.s3.bucket: \"%s\" is not a bucket's name: 3 to 63 small "
                     "letters, digits, dots and hyphens",
                     settings->bucket);
    }
    if (!s3_settings_is_plain(str_from(settings->region), "-_")) {
        problems_add(problems, "storage.s3.region: letters, digits and -_ are allowed");
    }
    if (needs_path_style(settings)) {
        problems_add(problems, "storage.s3.path_style: must be true: no certificate fits a "
                               "bucket's name with dots in front of a host name");
    }
    if (prefix.length > S3_PREFIX_MAX_BYTES || !is_key_text(prefix)) {
        problems_add(problems,
                     "storage.s3.prefix: up to %d letters, digits and -_./ are allowed, and no "
                     "part of it may be empty, . or ..",
                     S3_PREFIX_MAX_BYTES);
    }
}

static void s3_settings_check_memory(const struct s3_settings *settings, struct problems *problems)
{
    const uint64_t part_bytes = s3_parts_largest(settings->largest_blob_bytes);

    if (settings->upload_memory_bytes < 2 * part_bytes) {
        problems_add(problems,
                     "storage.s3.upload_memory: must be at least %" PRIu64
                     " bytes, two of the largest parts that " S3_LARGEST_BLOB_KEY " needs",
                     2 * part_bytes);
    }
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, x-amz-server-side-encryption
 */
static void check_encryption(const struct s3_settings *settings, struct problems *problems)
{
    const char *encryption = settings->style.encryption;
    const struct str name = str_from(encryption);
    const bool has_key = str_is(name, "aws:kms") || str_is(name, "aws:kms:dsse");

    if (encryption && !has_key && !str_is(name, "AES256")) {
        problems_add(problems,
                     "storage.s3.encryption: \"%s\" is none of AES256, aws:kms, "
                     "aws:kms:dsse",
                     encryption);
    }
    if (settings->style.kms_key && !has_key) {
        problems_add(problems, "storage.s3.kms_key: needs storage.s3.encryption: aws:kms");
    }
}

static void s3_settings_check(const void *values, struct problems *problems)
{
    const struct s3_settings *const settings = values;

    if (settings->bucket) {
        check_names(settings, problems);
        s3_settings_check_memory(settings, problems);
        check_encryption(settings, problems);
    }
}

const struct settings_table s3_settings_table = {
    .rows = rows,
    .count = ARRAY_LEN(rows),
    .check = s3_settings_check,
};
