#include "tests/support/layer_maker.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { MADE_MAX_BYTES = 1 << 30, ZEROS_BYTES = 64 * 1024, NAME_BYTES = 100 };

static const char zeros[ZEROS_BYTES];

static void open_writer(struct layer_maker *maker, enum layer_kind kind);
static la_ssize_t on_write(struct archive *archive, void *context, const void *bytes,
                           size_t length);
static void write_header(struct layer_maker *maker, const struct layer_entry *entry);
static void write_content(struct layer_maker *maker, struct str content);
static void write_number(char *field, size_t digits, uint64_t number);

void layer_maker_init(struct layer_maker *maker, const char *format, enum layer_kind kind)
{
    maker->archive = archive_write_new();
    assert(maker->archive);
    assert(archive_write_set_format_by_name(maker->archive, format) == ARCHIVE_OK);
    open_writer(maker, kind);
}

static void open_writer(struct layer_maker *maker, enum layer_kind kind)
{
    static const char *const filters[] = {
        [LAYER_PLAIN] = NULL, [LAYER_GZIP] = "gzip", [LAYER_ZSTD] = "zstd"};

    strbuf_init(&maker->bytes, MADE_MAX_BYTES);
    if (filters[kind]) {
        assert(archive_write_add_filter_by_name(maker->archive, filters[kind]) == ARCHIVE_OK);
    }
    assert(archive_write_set_bytes_in_last_block(maker->archive, 1) == ARCHIVE_OK);
    assert(archive_write_open(maker->archive, &maker->bytes, NULL, on_write, NULL) == ARCHIVE_OK);
}

static la_ssize_t on_write(struct archive *archive, void *context, const void *bytes, size_t length)
{
    struct strbuf *out = context;

    (void)archive;
    strbuf_append(out, (struct str){bytes, length});
    assert(!out->is_truncated);
    return (la_ssize_t)length;
}

void layer_maker_release(struct layer_maker *maker)
{
    (void)archive_write_free(maker->archive);
    strbuf_release(&maker->bytes);
}

void layer_maker_add(struct layer_maker *maker, struct layer_entry entry, const char *content)
{
    const struct str bytes = str_from(content);

    entry.size_bytes = bytes.length;
    write_header(maker, &entry);
    write_content(maker, bytes);
}

static void write_header(struct layer_maker *maker, const struct layer_entry *entry)
{
    struct archive_entry *made = archive_entry_new();

    assert(made);
    archive_entry_copy_pathname(made, entry->name.bytes);
    archive_entry_set_mode(made, entry->mode);
    archive_entry_set_mtime(made, entry->modified_s, 0);
    archive_entry_set_size(made, (la_int64_t)entry->size_bytes);
    if (S_ISLNK(entry->mode)) {
        archive_entry_copy_symlink(made, entry->link.bytes);
    } else if (entry->link.bytes) {
        archive_entry_copy_hardlink(made, entry->link.bytes);
    }
    assert(archive_write_header(maker->archive, made) >= ARCHIVE_WARN);
    archive_entry_free(made);
}

static void write_content(struct layer_maker *maker, struct str content)
{
    if (content.length > 0) {
        assert(archive_write_data(maker->archive, content.bytes, content.length) ==
               (la_ssize_t)content.length);
    }
}

void layer_maker_add_file(struct layer_maker *maker, const char *name, const char *content)
{
    layer_maker_add(maker, (struct layer_entry){.name = str_from(name), .mode = S_IFREG | 0644},
                    content);
}

void layer_maker_add_zeros(struct layer_maker *maker, const char *name, uint64_t size_bytes)
{
    const struct layer_entry entry = {
        .name = str_from(name), .mode = S_IFREG | 0644, .size_bytes = size_bytes};

    write_header(maker, &entry);
    while (size_bytes > 0) {
        const size_t length = size_bytes < ZEROS_BYTES ? (size_t)size_bytes : ZEROS_BYTES;

        write_content(maker, (struct str){zeros, length});
        size_bytes -= length;
    }
}

void layer_maker_add_sparse(struct layer_maker *maker, const char *name, const char *text,
                            uint64_t offset, uint64_t size_bytes)
{
    struct archive_entry *made = archive_entry_new();
    const size_t length = strlen(text);

    assert(made);
    archive_entry_copy_pathname(made, name);
    archive_entry_set_mode(made, S_IFREG | 0644);
    archive_entry_set_size(made, (la_int64_t)size_bytes);
    archive_entry_sparse_add_entry(made, (la_int64_t)offset, (la_int64_t)length);
    assert(archive_write_header(maker->archive, made) == ARCHIVE_OK);
    for (uint64_t i = 0; i < offset; i++) {
        write_content(maker, (struct str){zeros, 1});
    }
    write_content(maker, str_from(text));
    archive_entry_free(made);
}

struct str layer_maker_finish(struct layer_maker *maker)
{
    assert(archive_write_close(maker->archive) == ARCHIVE_OK);
    return strbuf_str(&maker->bytes);
}

/* POSIX.1-2017 pax, "ustar Interchange Format": the checksum takes its own field for spaces. */
void layer_append_header(struct strbuf *tar, const char *name, char type, uint64_t size_bytes)
{
    char header[LAYER_BLOCK_BYTES] = {0};

    assert(strlen(name) < NAME_BYTES);
    (void)snprintf(header, NAME_BYTES, "%s", name);
    write_number(header + 100, 7, 0644);
    write_number(header + 124, 11, size_bytes);
    write_number(header + 136, 11, 0);
    header[156] = type;
    memcpy(header + 257, type == 'S' ? "ustar  " : "ustar\00000", 8);
    layer_seal_header(header);
    strbuf_append(tar, (struct str){header, sizeof(header)});
}

void layer_seal_header(char header[LAYER_BLOCK_BYTES])
{
    uint64_t sum = 0;

    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < LAYER_BLOCK_BYTES; i++) {
        sum += (unsigned char)header[i];
    }
    write_number(header + 148, 6, sum);
    header[154] = '\0';
}

/* Octal, with leading zeros. */
static void write_number(char *field, size_t digits, uint64_t number)
{
    for (size_t i = digits; i > 0; i--) {
        field[i - 1] = (char)('0' + number % 8);
        number /= 8;
    }
}

void layer_append_content(struct strbuf *tar, struct str content)
{
    const size_t rest = content.length % LAYER_BLOCK_BYTES;

    strbuf_append(tar, content);
    if (rest > 0) {
        strbuf_append(tar, (struct str){zeros, LAYER_BLOCK_BYTES - rest});
    }
    assert(!tar->is_truncated);
}

void layer_compress(struct strbuf *out, enum layer_kind kind, struct str bytes)
{
    struct layer_maker maker;

    layer_maker_init(&maker, "raw", kind);
    layer_maker_add_file(&maker, "data", "");
    write_content(&maker, bytes);
    strbuf_append(out, layer_maker_finish(&maker));
    layer_maker_release(&maker);
}
