#include "layers/layer_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

/* Small, since what a chunk unpacks to is only seen behind it: zstd makes 100 MB out of this. */
enum { CHUNK_BYTES = 4 * 1024 };

/* A layer that is being read. */
struct reading {
    const struct layer_input *input;
    const struct layer_limits *limits;
    const struct layer_visitor *visitor; /* of a listing, else NULL */
    const char *wanted;                  /* the file whose content is wanted, else NULL */
    struct strbuf *content;
    bool is_found;
    bool is_done; /* the visitor has seen enough */

    struct archive *archive;
    uint64_t read_bytes;
    uint64_t entries;
    int64_t deadline_ms;
    enum error_code failure; /* of the input, or of a limit: told before what libarchive says */
    struct error reason;
    char chunk[CHUNK_BYTES];
};

static enum error_code read_archive(struct reading *reading, struct error *err);
static bool open_archive(struct reading *reading);
static la_ssize_t read_chunk(struct archive *archive, void *context, const void **bytes_out);
static enum error_code check_limits(struct reading *reading, struct error *err);
static enum error_code read_entries(struct reading *reading);
static enum error_code read_entry(struct reading *reading, struct archive_entry *entry);
static struct str name_of(struct archive_entry *entry);
static bool is_wanted(const struct reading *reading, struct archive_entry *entry);
static enum error_code read_content(struct reading *reading, bool is_kept);
static enum error_code broken(struct reading *reading);

enum error_code layer_list(const struct layer_input *input, const struct layer_limits *limits,
                           const struct layer_visitor *visitor, struct error *err)
{
    struct reading reading = {.input = input, .limits = limits, .visitor = visitor};

    return read_archive(&reading, err);
}

enum error_code layer_read_file(const struct layer_input *input, const struct layer_limits *limits,
                                const char *name, struct strbuf *buf, struct error *err)
{
    struct reading reading = {.input = input, .limits = limits, .wanted = name, .content = buf};
    const enum error_code code = read_archive(&reading, err);

    if (code || reading.is_found) {
        return code;
    }
    return error_set(err, ERROR_NOT_FOUND, "the layer has no file %s", name);
}

static enum error_code read_archive(struct reading *reading, struct error *err)
{
    const struct layer_limits *limits = reading->limits;
    enum error_code code = OK;

    reading->deadline_ms = clock_monotonic_ms(limits->clock) + limits->time_max_ms;
    reading->archive = archive_read_new();
    if (!reading->archive) {
        return error_set(err, ERROR_UNAVAILABLE, "there is no memory to read a layer");
    }
    code = open_archive(reading) ? read_entries(reading) : broken(reading);
    (void)archive_read_free(reading->archive);
    if (code && err) {
        *err = reading->reason;
    }
    return code;
}

/* A filter that Debian's libarchive had not built in would run a program: it says so by WARN. */
static bool open_archive(struct reading *reading)
{
    struct archive *archive = reading->archive;

    return archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
           archive_read_support_filter_zstd(archive) == ARCHIVE_OK &&
           archive_read_support_format_tar(archive) == ARCHIVE_OK &&
           /* These would be read into memory as a whole. */
           archive_read_set_options(archive, "tar:!mac-ext") == ARCHIVE_OK &&
           archive_read_open(archive, reading, NULL, read_chunk, NULL) == ARCHIVE_OK;
}

static la_ssize_t read_chunk(struct archive *archive, void *context, const void **bytes_out)
{
    struct reading *reading = context;
    size_t length = 0;

    reading->failure = check_limits(reading, &reading->reason);
    if (!reading->failure) {
        reading->failure = reading->input->read(reading->input->context, reading->chunk,
                                                sizeof(reading->chunk), &length, &reading->reason);
    }
    if (reading->failure) {
        archive_set_error(archive, EIO, "stopped");
        return ARCHIVE_FATAL;
    }
    reading->read_bytes += length;
    *bytes_out = reading->chunk;
    return (la_ssize_t)length;
}

static enum error_code check_limits(struct reading *reading, struct error *err)
{
    const struct layer_limits *limits = reading->limits;
    const int64_t unpacked = archive_filter_bytes(reading->archive, 0);

    if (reading->read_bytes > limits->compressed_max_bytes) {
        return error_set(err, ERROR_TOO_LARGE, "the layer has more than %llu bytes",
                         (unsigned long long)limits->compressed_max_bytes);
    }
    if (unpacked > 0 && (uint64_t)unpacked > limits->unpacked_max_bytes) {
        return error_set(err, ERROR_TOO_LARGE, "the layer unpacks to more than %llu bytes",
                         (unsigned long long)limits->unpacked_max_bytes);
    }
    if (reading->entries > limits->max_entries) {
        return error_set(err, ERROR_TOO_LARGE, "the layer has more than %llu files",
                         (unsigned long long)limits->max_entries);
    }
    if (clock_monotonic_ms(limits->clock) > reading->deadline_ms) {
        return error_set(err, ERROR_TOO_LARGE, "it takes too long to unpack the layer");
    }
    return OK;
}

static enum error_code read_entries(struct reading *reading)
{
    struct archive_entry *entry = NULL;
    enum error_code code = OK;

    while (!code && !reading->is_done) {
        const int result = archive_read_next_header(reading->archive, &entry);

        if (result == ARCHIVE_EOF) {
            return OK;
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            return broken(reading);
        }
        reading->entries++;
        code = check_limits(reading, &reading->reason);
        if (!code) {
            code = read_entry(reading, entry);
        }
    }
    return code;
}

static enum error_code read_entry(struct reading *reading, struct archive_entry *entry)
{
    const char *link = archive_entry_symlink(entry);
    const struct layer_entry seen = {
        .name = name_of(entry),
        .mode = archive_entry_mode(entry),
        .size_bytes = (uint64_t)archive_entry_size(entry),
        .modified_s = archive_entry_mtime(entry),
        .link = str_from(link ? link : archive_entry_hardlink(entry)),
    };

    if (reading->visitor) {
        reading->is_done = !reading->visitor->visit(reading->visitor->context, &seen);
        return reading->is_done ? OK : read_content(reading, false);
    }
    return read_content(reading, is_wanted(reading, entry));
}

/* In the C locale libarchive has no such name for what an archive says is UTF-8. */
static struct str name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);

    return str_from(name ? name : archive_entry_pathname_utf8(entry));
}

static bool is_wanted(const struct reading *reading, struct archive_entry *entry)
{
    struct str name = name_of(entry);

    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry)) {
        return false;
    }
    if (str_starts_with(name, "./")) {
        name = str_from_index(name, 2);
    } else if (str_starts_with(name, "/")) {
        name = str_from_index(name, 1);
    }
    return str_is(name, reading->wanted);
}

/* Also what nobody wants is read here block by block, and not skipped over in one go without a look
 * at the limits. */
static enum error_code read_content(struct reading *reading, bool is_kept)
{
    const void *block = NULL;
    size_t length = 0;
    la_int64_t offset = 0;
    enum error_code code = OK;

    if (is_kept) {
        reading->is_found = true;
        strbuf_clear(reading->content);
    }
    while (!code) {
        const int result = archive_read_data_block(reading->archive, &block, &length, &offset);

        if (result == ARCHIVE_EOF) {
            return OK;
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            return broken(reading);
        }
        code = check_limits(reading, &reading->reason);
        if (!code && is_kept) {
            strbuf_append(reading->content, (struct str){block, length});
            code = reading->content->is_truncated
                       ? error_set(&reading->reason, ERROR_TOO_LARGE, "%s has more than %zu bytes",
                                   reading->wanted, reading->content->limit_bytes)
                       : OK;
        }
    }
    return code;
}

static enum error_code broken(struct reading *reading)
{
    const char *const why = archive_error_string(reading->archive);

    return reading->failure ? reading->failure
                            : error_set(&reading->reason, ERROR_INVALID,
                                        "the layer is no tar archive, or broken: %s",
                                        why ? why : "unknown reason");
}
