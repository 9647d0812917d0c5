#include "tests/support/layer_maker.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <string.h>

enum { LAYER_MAX_BYTES = 64 * 1024 * 1024, MODIFIED_S = 1700000000, ZEROS_BYTES = 1024 * 1024 };

static la_ssize_t keep(struct archive *archive, void *context, const void *bytes, size_t length)
{
    (void)archive;
    strbuf_append(context, (struct str){bytes, length});
    return (la_ssize_t)length;
}

static struct archive *open_writer(enum layer_compression compression, struct strbuf *buf)
{
    struct archive *archive = archive_write_new();

    strbuf_init(buf, LAYER_MAX_BYTES);
    assert(archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK);
    if (compression == LAYER_GZIP) {
        assert(archive_write_add_filter_gzip(archive) == ARCHIVE_OK);
    } else if (compression == LAYER_ZSTD) {
        assert(archive_write_add_filter_zstd(archive) == ARCHIVE_OK);
    }
    assert(archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK);
    assert(archive_write_open(archive, buf, NULL, keep, NULL) == ARCHIVE_OK);
    return archive;
}

static void begin_file(struct archive *archive, const struct layer_file *file, uint64_t size_bytes)
{
    struct archive_entry *entry = archive_entry_new();

    archive_entry_set_pathname(entry, file->name);
    archive_entry_set_mode(entry, file->content ? AE_IFREG | 0644 : AE_IFDIR | 0755);
    if (file->link) {
        archive_entry_set_mode(entry, AE_IFLNK | 0777);
        archive_entry_set_symlink(entry, file->link);
    }
    archive_entry_set_size(entry, (la_int64_t)size_bytes);
    archive_entry_set_mtime(entry, MODIFIED_S, 0);
    assert(archive_write_header(archive, entry) >= ARCHIVE_WARN); /* names that are not ASCII */
    archive_entry_free(entry);
}

static void add_file(struct archive *archive, const struct layer_file *file)
{
    const size_t length = file->content && !file->link ? strlen(file->content) : 0;

    begin_file(archive, file, length);
    if (length > 0) {
        assert(archive_write_data(archive, file->content, length) == (la_ssize_t)length);
    }
}

static void finish(struct archive *archive, const struct strbuf *buf)
{
    assert(archive_write_close(archive) == ARCHIVE_OK);
    assert(archive_write_free(archive) == ARCHIVE_OK);
    assert(!buf->is_truncated);
}

struct strbuf layer_maker_make(enum layer_compression compression, const struct layer_file *files,
                               size_t count)
{
    struct strbuf buf;
    struct archive *archive = open_writer(compression, &buf);

    for (size_t i = 0; i < count; i++) {
        add_file(archive, &files[i]);
    }
    finish(archive, &buf);
    return buf;
}

struct strbuf layer_maker_make_bomb(enum layer_compression compression, uint64_t zeros)
{
    static const struct layer_file first = {"first", "1", NULL};
    static const struct layer_file bomb = {"bomb", "", NULL};
    static const struct layer_file last = {"last", "2", NULL};
    static const char block[ZEROS_BYTES];
    struct strbuf buf;
    struct archive *archive = open_writer(compression, &buf);

    add_file(archive, &first);
    begin_file(archive, &bomb, zeros);
    for (uint64_t left = zeros; left > 0;) {
        const size_t part = left < sizeof(block) ? (size_t)left : sizeof(block);

        assert(archive_write_data(archive, block, part) == (la_ssize_t)part);
        left -= part;
    }
    add_file(archive, &last);
    finish(archive, &buf);
    return buf;
}
