#include "layers/layer_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <sys/types.h>

#include "layers/layer_stream.h"

enum {
    /*
     * The most of the tar stream that one step, to the next entry or the next block of content, may
     * use up; headers of real layers have some KiB. In one step nobody looks at the clock, and
     * libarchive reads all of a sparse file's map, many bytes of memory for each of the map's, and
     * all of an access control list, in quadratic time: 0.9 s for 250 KB, 19 s for 900 KB.
     */
    STEP_MAX_BYTES = 256 * 1024,
    /* The parser gets the stream in pieces of this size, so that a step is measured well. */
    PIECE_MAX_BYTES = 16 * 1024,
};

/* A layer while it is read. */
struct reader {
    struct layer_stream stream;
    struct archive *tar;
    struct archive_entry *entry; /* where it stands; libarchive's */
    struct str unread;           /* of the stream's current block */
    uint64_t entry_count;
    size_t step_bytes;
};

/* What became of the file that is looked for, so far. */
struct wanted_file {
    struct str name;
    struct strbuf content;
    enum error_code code;
};

static la_ssize_t layer_on_read(struct archive *tar, void *context, const void **block_out)
{
    struct reader *reader = context;
    struct str piece;

    (void)tar;
    if (reader->step_bytes >= STEP_MAX_BYTES) {
        reader->stream.failure =
            error_set(reader->stream.err, ERROR_TOO_LARGE,
                      "the header of an entry in the layer has more than %d bytes", STEP_MAX_BYTES);
        return ARCHIVE_FATAL;
    }
    if (reader->unread.length == 0 && layer_stream_read(&reader->stream, &reader->unread)) {
        return ARCHIVE_FATAL;
    }
    piece = str_slice(reader->unread, 0, PIECE_MAX_BYTES);
    reader->unread = str_from_index(reader->unread, piece.length);
    reader->step_bytes += piece.length;
    *block_out = piece.bytes;
    return (la_ssize_t)piece.length;
}

/* The stream's failure comes first: to libarchive it is but a failed read. */
static enum error_code layer_fail(struct reader *reader)
{
    const char *reason = archive_error_string(reader->tar);

    if (reader->stream.failure) {
        return reader->stream.failure;
    }
    return error_set(reader->stream.err, ERROR_INVALID, "the layer is no sound tar archive: %s",
                     reason ? reason : "it is broken");
}

static enum error_code open_tar(struct reader *reader)
{
    reader->tar = archive_read_new();
    if (reader->tar == NULL) {
        return error_set(reader->stream.err, ERROR_INTERNAL, "no memory to read a layer");
    }
    if (archive_read_support_format_tar(reader->tar) != ARCHIVE_OK ||
        /* On macOS libarchive would hide files that begin with `._`. */
        archive_read_set_format_option(reader->tar, "tar", "mac-ext", NULL) != ARCHIVE_OK ||
        archive_read_open(reader->tar, reader, NULL, layer_on_read, NULL) != ARCHIVE_OK) {
        return layer_fail(reader);
    }
    return OK;
}

static enum error_code reader_open(struct reader *reader, const struct layer_input *input,
                                   const struct layer_limits *limits, struct error *err)
{
    enum error_code code;

    *reader = (struct reader){0};
    code = layer_stream_open(&reader->stream, input, limits, err);
    return code ? code : open_tar(reader);
}

/*
 * What follows the archive's end is padding, but whether the stream was cut off or broken shows
 * only at its own end.
 */
static enum error_code read_rest(struct reader *reader)
{
    struct str block = {"", 1};
    enum error_code code = OK;

    while (code == OK && block.length > 0) {
        code = layer_stream_read(&reader->stream, &block);
    }
    return code;
}

static struct str link_of(struct archive_entry *entry)
{
    const char *hard_link = archive_entry_hardlink(entry);

    return str_from(hard_link ? hard_link : archive_entry_symlink(entry));
}

/* libarchive gives hard links no type: their target's is not known to it. */
static struct layer_entry layer_describe(struct archive_entry *entry)
{
    const la_int64_t size_bytes = archive_entry_size(entry);
    const mode_t mode = archive_entry_mode(entry);

    return (struct layer_entry){
        .name = str_from(archive_entry_pathname(entry)),
        .mode = (mode & AE_IFMT) ? mode : mode | AE_IFREG,
        .size_bytes = size_bytes > 0 ? (uint64_t)size_bytes : 0,
        .modified_s = archive_entry_mtime(entry),
        .link = link_of(entry),
    };
}

static enum error_code count_entry(struct reader *reader)
{
    const uint64_t max_entries = reader->stream.limits->max_entries;

    if (reader->entry_count >= max_entries) {
        return error_set(reader->stream.err, ERROR_TOO_LARGE,
                         "the layer has more than %" PRIu64 " entries", max_entries);
    }
    reader->entry_count++;
    return OK;
}

static enum error_code next_entry(struct reader *reader, struct layer_entry *entry_out,
                                  bool *is_end_out)
{
    enum error_code code = layer_stream_check_time(&reader->stream);
    int status;

    if (code) {
        return code;
    }
    reader->step_bytes = 0;
    status = archive_read_next_header(reader->tar, &reader->entry);
    if (reader->stream.failure) { /* libarchive takes some failed reads for the end */
        return reader->stream.failure;
    }
    if (status == ARCHIVE_EOF) {
        *is_end_out = true;
        return read_rest(reader);
    }
    /*
     * It warns, among others, of names that it cannot convert to the locale's encoding, and keeps
     * their bytes: in the C locale of programs that set none, those of all names but ASCII.
     */
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
        return layer_fail(reader);
    }
    *entry_out = layer_describe(reader->entry);
    if (entry_out->name.bytes == NULL) { /* after too many special headers, it only warns */
        return layer_fail(reader);
    }
    return count_entry(reader);
}

static enum error_code next_block(struct reader *reader, struct str *block_out,
                                  uint64_t *offset_out, bool *is_end_out)
{
    const void *bytes = NULL;
    size_t length = 0;
    la_int64_t offset = 0;
    enum error_code code = layer_stream_check_time(&reader->stream);
    int status;

    if (code) {
        return code;
    }
    reader->step_bytes = 0;
    status = archive_read_data_block(reader->tar, &bytes, &length, &offset);
    if (reader->stream.failure || (status != ARCHIVE_OK && status != ARCHIVE_EOF)) {
        return layer_fail(reader);
    }
    *is_end_out = status == ARCHIVE_EOF;
    *block_out = (struct str){bytes, *is_end_out ? 0 : length};
    *offset_out = offset > 0 ? (uint64_t)offset : 0;
    return OK;
}

/*
 * Content is skipped by reading it: libarchive would skip all of it in one call, in which nobody
 * looks at the clock. Holes of sparse files are only counted, never filled.
 */
static enum error_code skip_content(struct reader *reader)
{
    bool is_end = false;
    enum error_code code = OK;

    while (code == OK && !is_end) {
        struct str block = {0};
        uint64_t offset = 0;

        code = next_block(reader, &block, &offset, &is_end);
    }
    return code;
}

static void reader_release(struct reader *reader)
{
    if (reader->tar) {
        (void)archive_read_free(reader->tar);
    }
    layer_stream_release(&reader->stream);
}

enum error_code layer_list(const struct layer_input *input, const struct layer_limits *limits,
                           bool (*visit)(void *context, const struct layer_entry *entry),
                           void *context, struct error *err)
{
    struct reader reader;
    struct layer_entry entry = {0};
    bool is_end = false;
    enum error_code code = reader_open(&reader, input, limits, err);

    while (code == OK && !is_end) {
        code = next_entry(&reader, &entry, &is_end);
        if (code == OK && !is_end) {
            is_end = !visit(context, &entry);
        }
        if (code == OK && !is_end) {
            code = skip_content(&reader);
        }
    }
    reader_release(&reader);
    return code;
}

/* Folders may end in a slash, and also replace a file. */
static struct str plain_name(struct str name)
{
    if (str_starts_with(name, "./")) {
        name = str_from_index(name, 2);
    } else if (str_starts_with(name, "/")) {
        name = str_from_index(name, 1);
    }
    return str_slice(name, 0, name.length - (str_ends_with(name, "/") ? 1 : 0));
}

/* The hole of a sparse file, up to `end`; beyond the buffer's maximum it becomes truncated. */
static void append_zeros(struct strbuf *buf, uint64_t end)
{
    while (!buf->is_truncated && buf->length < end) {
        strbuf_append_byte(buf, '\0');
    }
}

static enum error_code take_content(struct reader *reader, uint64_t size_bytes,
                                    struct strbuf *content)
{
    bool is_end = false;
    enum error_code code = OK;

    while (code == OK && !is_end) {
        struct str block = {0};
        uint64_t offset = 0;

        code = next_block(reader, &block, &offset, &is_end);
        if (code == OK && !is_end) {
            append_zeros(content, offset);
            strbuf_append(content, block);
        }
    }
    append_zeros(content, size_bytes);
    if (code == OK && (content->is_truncated || content->length != size_bytes)) {
        return error_set(reader->stream.err, ERROR_INVALID,
                         "a file in the layer has another size than its header says");
    }
    return code;
}

/* Whatever else has the name replaces the file, as when unpacking. */
static enum error_code take_entry(struct reader *reader, const struct layer_entry *entry,
                                  struct wanted_file *wanted)
{
    strbuf_clear(&wanted->content);
    wanted->code = ERROR_NOT_FOUND;
    if (archive_entry_filetype(reader->entry) != AE_IFREG || entry->link.bytes) {
        return OK;
    }
    if (entry->size_bytes > wanted->content.limit_bytes) {
        wanted->code = ERROR_TOO_LARGE;
        return OK;
    }
    wanted->code = OK;
    return take_content(reader, entry->size_bytes, &wanted->content);
}

/* To the very end: the last of its name counts. */
static enum error_code find_file(struct reader *reader, struct wanted_file *wanted)
{
    struct layer_entry entry = {0};
    bool is_end = false;
    enum error_code code = OK;

    while (code == OK && !is_end) {
        code = next_entry(reader, &entry, &is_end);
        if (code == OK && !is_end && str_equal(plain_name(entry.name), wanted->name)) {
            code = take_entry(reader, &entry, wanted);
        }
        if (code == OK && !is_end) {
            code = skip_content(reader);
        }
    }
    return code;
}

static enum error_code give_content(const struct wanted_file *wanted, struct strbuf *buf,
                                    struct error *err)
{
    if (wanted->code == ERROR_NOT_FOUND) {
        return error_set(err, ERROR_NOT_FOUND, "there is no file %.*s in the layer",
                         STR_FORMAT(wanted->name));
    }
    if (wanted->code == ERROR_TOO_LARGE) {
        return error_set(err, ERROR_TOO_LARGE, "the file %.*s in the layer has more than %zu bytes",
                         STR_FORMAT(wanted->name), wanted->content.limit_bytes);
    }
    strbuf_append(buf, strbuf_str(&wanted->content));
    return OK;
}

enum error_code layer_read_file(const struct layer_input *input, const struct layer_limits *limits,
                                const char *name, struct strbuf *buf, struct error *err)
{
    struct reader reader;
    struct wanted_file wanted = {.name = plain_name(str_from(name)), .code = ERROR_NOT_FOUND};
    enum error_code code = reader_open(&reader, input, limits, err);

    assert(!buf->is_truncated);
    strbuf_init(&wanted.content, buf->limit_bytes - buf->length);
    if (code == OK) {
        code = find_file(&reader, &wanted);
    }
    if (code == OK) {
        code = give_content(&wanted, buf, err);
    }
    strbuf_release(&wanted.content);
    reader_release(&reader);
    return code;
}
